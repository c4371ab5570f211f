/** An hour without the store, or without Redis: waited out, whoever is in the middle of what. */
import { describe, expect, it } from "vitest";
import { holdsFile, streams, testWorld } from "../../test/test-world.ts";
import { CheckpointError, StoreError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { audit } from "../testing/audit.ts";
import type { Script } from "../testing/failing.ts";
import { PART, sampleBytes } from "../testing/test-values.ts";
import type { World } from "../testing/world.ts";

const HOUR_MS = 3_600_000;

/** From the first call of `method` on, nothing is answered for an hour. `refusedMs`: when what was asked. */
function anHour(world: World, method: string, error: () => Error, refusedMs: number[]): Script {
  let fromMs: number | undefined;
  return (call) => {
    const nowMs = world.clock.monotonicMs();
    if (call.method === method) fromMs ??= nowMs;
    if (fromMs === undefined || nowMs >= fromMs + HOUR_MS) return undefined;
    refusedMs.push(nowMs - fromMs);
    return { when: "before", throw: error() };
  };
}

const unreachable = (): Error =>
  new StoreError({ trouble: "unreachable", code: "ECONNREFUSED", message: "away", outcomeUnknown: false });

describe("an hour's outage", () => {
  it.each([
    ["of the store, at its first part", "storeScript", "uploadPart", unreachable],
    ["of the store, at Complete", "storeScript", "complete", unreachable],
    ["of Redis, at a checkpoint", "checkpointScript", "write", () => new CheckpointError("away")],
  ] as const)(
    "P11: %s, is asked through to its end, and fails nothing",
    async (_case, where, method, error) => {
      const world = testWorld();
      const path = world.path("a.bin");
      world.disk.append(path, sampleBytes(2 * PART + 9, 1));
      const refusedMs: number[] = [];
      const worker = world.worker({ [where]: anHour(world, method, error, refusedMs) });
      await world.clock.drive(worker.scan());
      await world.clock.advance(HOUR_MS);
      await worker.work();
      expect(audit(world)).toEqual([]);
      expect(holdsFile(world, "a.bin", path)).toBe(true);
      expect(streams(world).map(({ status }) => status)).toEqual(["completed"]);
      expect(world.store.count("createUpload")).toBe(1);
      // No longer pause than the longest backoff, at the end of the hour as at its beginning.
      const pauses = [...refusedMs, HOUR_MS].map((at, index) => at - (refusedMs[index - 1] ?? 0));
      expect(Math.max(...pauses)).toBeLessThanOrEqual(LIMITS.retryMostMs);
      expect(refusedMs.length).toBeLessThan(HOUR_MS / 1_000);
    },
  );
});

it("a file's size is kept while the store is away, whatever its stream waits for", async () => {
  const world = testWorld();
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(PART + 9, 1));
  const worker = world.worker({ storeScript: anHour(world, "createUpload", unreachable, []) });
  await world.clock.drive(worker.scan());
  await world.clock.advance(60_000);
  world.disk.append(path, sampleBytes(5 * PART, 2));
  // A rescan looks at each file; its stream, which waits for the store, does not.
  const file = world.disk.file(path);
  for (const processor of worker.processors.values()) if (file) processor.measured(world.disk.factsOf(file));
  await world.clock.advance(1_000);
  expect(streams(world)).toMatchObject([
    { status: "opening", file_size: 6 * PART + 9, waiting_for: expect.stringContaining("store") as string },
  ]);
  expect(world.redis.stats.bytes_in).toBe(5 * PART);
});
