/** One request of 10,000 items delays another by one item, not by all of them. */
import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { PART, startRig, writeWhole, type Rig } from "./rig.ts";
import { answer, ask, file } from "./rig/ask.ts";

const ITEMS = 10_000;
const MOST_MS = 3_000;
const AT_ONCE = 1_000;

/** Files that are gone cost the worker a look at the whole watch each: so many are really taken back to work. */
const REAL_EVERY = 100;

/**
 * As many failed streams as asked for, each as the worker itself left this one, but with a path of its own. Most of them
 * are superseded, so that their retry is looked at and refused.
 */
async function copiesOf(rig: Rig, failed: string, count: number): Promise<string[]> {
  const { redis } = rig.records;
  const record = await redis.hgetall(`stream:${failed}:meta`);
  const ids = Array.from({ length: count }, (_, at) => `01k9${String(at).padStart(22, "0")}`);
  for (let from = 0; from < count; from += AT_ONCE) {
    const pipeline = redis.pipeline();
    for (const [at, id] of ids.slice(from, from + AT_ONCE).entries()) {
      const superseded = at % REAL_EVERY === 0 ? {} : { superseded_by: failed };
      pipeline.hset(`stream:${id}:meta`, {
        ...record,
        ...superseded,
        original_path: `${rig.root}/${id}.bin`,
      });
      pipeline.zadd("streams:failed", Date.now(), id);
    }
    await pipeline.exec();
  }
  return ids;
}

it("D4d: while a retry of 10,000 streams is under way, other requests are answered within 3 s", async () => {
  await using rig = await startRig({ env: { SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h" } });
  await rig.start();
  const paths = Array.from({ length: 6 }, (_, at) => writeWhole(rig, `${at}.bin`, randomBytes(PART + 100)));
  const live = await Promise.all(paths.map((path) => rig.live(path, ({ next_part: next }) => next === "2")));
  const [first, ...others] = live.map(({ id }) => id);
  if (first === undefined) throw new Error("six streams");
  expect(await ask(rig, "abort", first)).toMatchObject({ result: "done" });

  const items = await copiesOf(rig, first, ITEMS);
  const bulk = await file(rig, "retry", items);
  const settled = async () => Number(await rig.records.redis.hget(`request:${bulk}`, "answered"));
  await rig.until("the first of them are answered", async () => (await settled()) > 0);
  const tookMs: number[] = [];
  for (const id of others) {
    const action = tookMs.length % 2 === 0 ? "finalize" : "list_parts";
    const askedAtMs = performance.now();
    const { result } = await answer(rig, await file(rig, action, [id]), id);
    tookMs.push(performance.now() - askedAtMs);
    expect(result).toBe("done");
  }
  // Not a measurement of what comes after it.
  expect(await settled()).toBeLessThan(ITEMS);
  expect(tookMs.toSorted((a, b) => a - b)[Math.floor(tookMs.length / 2)]).toBeLessThan(MOST_MS);
}, 120_000);
