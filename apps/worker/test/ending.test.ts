/** SIGTERM ends the worker within the drain time, also when nothing it says goodbye to answers (P10). */
import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { PART, startRig, writeWhole } from "./rig.ts";

/** The end waits 2 s for a goodbye and 1 s for what the drain's end interrupts; the rest is a busy machine's. */
const DRAIN_MS = 1_000;
const MOST_MS = DRAIN_MS + 7_000;

it("a worker whose Redis answers nothing ends soon after its drain time", { timeout: 120_000 }, async () => {
  await using rig = await startRig({ env: { SLUICE_DRAIN_TIMEOUT: `${DRAIN_MS}ms` } });
  const worker = await rig.start();
  const path = writeWhole(rig, "growing.mov.part", randomBytes(PART + 10));
  await rig.live(path, ({ next_part: next }) => next === "2");
  rig.redis.freeze();
  await worker.said("Redis is in trouble");
  const askedAt = performance.now();
  expect(await worker.terminate()).toEqual({ code: 0, signal: null });
  expect(performance.now() - askedAt).toBeLessThan(MOST_MS);
});
