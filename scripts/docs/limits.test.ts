/** Limits that a page spells out for its readers: who changes one is shown the places that say the old one. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "../../packages/core/src/limits.ts";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");

/** Each expression finds a number of seconds. */
const SAID: readonly [page: string, says: RegExp, ms: number][] = [
  ["docs/reference/webhooks.md", /its lease \((\d+) s\)/, LIMITS.leaseTtlMs],
  ["docs/reference/webhooks.md", /renews its turn \((\d+) s\)/, LIMITS.leaseTtlMs],
  ["docs/reference/webhooks.md", /wait for the (\d+) s of the dead worker's turn/, LIMITS.leaseTtlMs],
  ["docs/reference/webhooks.md", /repeats wait up to (\d+) s/, LIMITS.retryMostMs],
  ["docs/guides/upgrade.md", /one lease \((\d+) s\)/, LIMITS.leaseTtlMs],
  ["docs/guides/getting-a-recording-back.md", /lease has lapsed \((\d+) s\)/, LIMITS.leaseTtlMs],
];

it.each(SAID)("%s says %s as the code has it", (page, says, ms) => {
  const seconds = says.exec(readFileSync(join(root, page), "utf8"))?.[1];
  expect(Number(seconds) * 1_000).toBe(ms);
});
