/** A processor is its checkpoint: made of the same record and parts it is the same, whoever makes it and how often. */
import { expect, it } from "vitest";
import { streams, testWorld } from "../../test/test-world.ts";
import { PART, sampleBytes } from "../testing/test-values.ts";
import { StreamProcessor } from "./stream-processor.ts";

it("from one checkpoint, twice and at once, is the same each time, and writes nothing", async () => {
  const world = testWorld();
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(2 * PART + 9, 1));
  await world.worker({ dieAt: { failpoint: "settled", nth: 1 } }).work();
  const [record] = streams(world);
  if (!record) throw new Error("there is a stream");
  const { deps } = world.worker();
  const parts = await deps.checkpoints.parts(record.id);
  const before = JSON.stringify(streams(world));
  const asked = world.store.log.length;
  const stop = new AbortController().signal;
  const made = await Promise.all(
    [1, 2, 3].map(async () => {
      await Promise.resolve();
      return StreamProcessor.initializeFromCheckpoint(record, parts.values(), world.rules, deps, stop);
    }),
  );
  for (const processor of made) {
    expect(processor.record).toEqual(record);
    expect(processor.record).toMatchObject({ next_part: 3, bytes_sent: 2 * PART });
    expect(processor.partsInFlight).toBe(0);
  }
  expect(JSON.stringify(streams(world))).toBe(before);
  expect(world.store.log).toHaveLength(asked);
});
