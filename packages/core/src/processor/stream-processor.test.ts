/** A stream's whole life over the memory adapters: from the first byte to the metadata object, and every way to end. */
import { describe, expect, it } from "vitest";
import { quickDigests } from "../../test/node-digests.ts";
import { BUCKET, PART, sampleBytes, SOURCE } from "../testing/test-values.ts";
import { World } from "../testing/world.ts";

function newWorld(options: Partial<ConstructorParameters<typeof World>[0]> = {}): World {
  return new World({ digests: quickDigests, ...options });
}

describe("a stream", () => {
  it("that grows past two parts and falls quiet becomes one object and its metadata", async () => {
    const world = newWorld();
    const path = world.path("a.bin");
    world.disk.append(path, sampleBytes(PART, 1));
    const worker = world.worker();
    await worker.scan();
    await world.clock.advance(1_000);
    world.disk.append(path, sampleBytes(PART + 777, 2));
    worker.poke();
    await world.clock.until(() => worker.busy === 0);
    expect(worker.bugs).toEqual([]);
    expect([...worker.endings.values()]).toEqual([{ kind: "completed" }]);
    expect(world.store.object(BUCKET, "a.bin")?.bytes).toEqual(world.disk.bytes(path));
    expect(world.store.keys()).toEqual(["a.bin", "a.bin.metadata.json"]);
    expect(world.store.uploads()).toEqual([]);
    expect(world.redis.done(SOURCE, path)).toMatchObject({ s3_key: "a.bin", file_size: 2 * PART + 777 });
    expect(world.redis.takenKeys()).toEqual([]);
  });
});
