/** Each reason why a stream is not final yet is one that the real worker writes: the table names the test that shows it. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Waiting } from "../src/stream/waiting.ts";

const WORKER = "apps/worker/test";

/**
 * Undefined: two streams want one path, which no test of the whole worker has brought about. A lease that is not fresh at
 * the very moment of Complete lasts for milliseconds: core's own test holds that moment.
 */
const SHOWN_BY: Record<Waiting["for"], readonly [file: string, title: string] | undefined> = {
  parts: [`${WORKER}/waiting.test.ts`, "parts on their way are named, with rate and end"],
  idle: [`${WORKER}/completion.test.ts`, "completes its file at once and is no stream itself"],
  writer: [`${WORKER}/completion.test.ts`, "F15: that a process holds open for writing waits for it"],
  rename: [`${WORKER}/completion.test.ts`, "stays open however long it is quiet"],
  marker: [`${WORKER}/completion.test.ts`, "older than the last write completes nothing"],
  volume: [`${WORKER}/volume.test.ts`, "and %s is offline, its streams wait"],
  store: [
    `${WORKER}/foreign-bucket.test.ts`,
    "D4c: and an old bucket that is gone keeps only its own streams waiting",
  ],
  lease: ["packages/core/src/object/complete.test.ts", "P7: Complete waits for a fresh lease"],
  verify: [`${WORKER}/waiting.test.ts`, "the seal says how many parts it reads again"],
  copy: [`${WORKER}/copied-back.test.ts`, "slowly, as a large one is, are sent no second time"],
  tidy: [`${WORKER}/tidying.test.ts`, "D7f: a wall clock that jumps two hours deletes nothing early"],
  operator: undefined,
};

test.each(Object.entries(SHOWN_BY))("a worker writes '%s', and a test shows it", (_kind, shown) => {
  if (shown === undefined) return;
  const [file, title] = shown;
  expect(readFileSync(new URL(`../../../${file}`, import.meta.url), "utf8")).toContain(title);
});
