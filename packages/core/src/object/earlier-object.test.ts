import { describe, expect, it } from "vitest";
import { holdsFile, runToEnd, streams, testWorld } from "../../test/test-world.ts";
import { parseWaiting } from "../stream/waiting.ts";
import { audit } from "../testing/audit.ts";
import { BUCKET, equalBytes, PART, sampleBytes, SOURCE } from "../testing/test-values.ts";
import type { World } from "../testing/world.ts";

const object = (world: World, key: string): Uint8Array =>
  world.store.object(BUCKET, key)?.bytes ?? new Uint8Array();

/** A file of this size was completed. */
async function completed(size: number, options: Parameters<typeof testWorld>[0] = {}) {
  const world = testWorld(options);
  const path = world.path("a.bin");
  const first = sampleBytes(size, 1);
  world.disk.append(path, first);
  await runToEnd(world);
  return { world, path, first };
}

const SIZES = [
  ["small", 200_000],
  ["of several parts", 2 * PART + 9],
] as const;

describe.each(SIZES)("D1a: a completed file, %s,", (_name, size) => {
  it("that grew takes its own key", async () => {
    const { world, path } = await completed(size);
    world.disk.append(path, sampleBytes(1000, 2));
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(world.store.keys()).toEqual(["a.bin", "a.bin.metadata.json"]);
  });

  it("that was overwritten in place by a longer recording keeps its object, also when nobody saw it shorter", async () => {
    const { world, path, first } = await completed(size);
    world.disk.rewrite(path, 0, sampleBytes(size + 1000, 7));
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(equalBytes(object(world, "a.bin"), first)).toBe(true);
    expect(holdsFile(world, "a-2.bin", path)).toBe(true);
    const [, second] = streams(world);
    expect(second?.supersedes).toBeUndefined();
  });

  it("that was shorter once, and has all its bytes again and more, keeps its object: it was recorded anew", async () => {
    const { world, path, first } = await completed(size);
    world.disk.truncate(path, 100);
    const worker = world.worker();
    await worker.scan();
    await world.clock.advance(1_000);
    world.disk.append(path, first.subarray(100));
    world.disk.append(path, sampleBytes(500, 3));
    worker.poke();
    await world.clock.until(() => worker.busy === 0);
    expect(audit(world)).toEqual([]);
    expect(equalBytes(object(world, "a.bin"), first)).toBe(true);
    expect(holdsFile(world, "a-2.bin", path)).toBe(true);
    expect(world.redis.done(SOURCE, path)).toMatchObject({ s3_key: "a-2.bin" });
  });

  it("of which a little was rewritten and more was added takes its own key", async () => {
    const { world, path } = await completed(size);
    world.disk.rewrite(path, 0, sampleBytes(100, 5));
    world.disk.append(path, sampleBytes(1000, 2));
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
  });

  it("is judged by its bytes also when Redis was emptied", async () => {
    const { world, path, first } = await completed(size);
    world.redis.empty();
    world.disk.rewrite(path, 0, sampleBytes(size + 1000, 7));
    await runToEnd(world, { recognise: true });
    expect(audit(world)).toEqual([]);
    expect(equalBytes(object(world, "a.bin"), first)).toBe(true);
    expect(holdsFile(world, "a-2.bin", path)).toBe(true);
  });

  it("is read back from a store that keeps no digest, and grows under its key", async () => {
    const { world, path } = await completed(size, { profile: { checksum: "off", etagIsMd5: false } });
    world.disk.append(path, sampleBytes(1000, 2));
    await runToEnd(world);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
  });
});

it("D1a: a preallocated file that was completed before it was filled takes its own key", async () => {
  const world = testWorld();
  const path = world.path("a.bin");
  world.disk.append(path, new Uint8Array(PART + 9));
  await runToEnd(world);
  world.disk.rewrite(path, 0, sampleBytes(PART + 9, 1));
  await runToEnd(world);
  expect(audit(world)).toEqual([]);
  expect(world.store.keys()).toEqual(["a.bin", "a.bin.metadata.json"]);
  expect(holdsFile(world, "a.bin", path)).toBe(true);
});

describe.each(SIZES)("D1d: a file, %s, that was copied back under another inode", (_name, size) => {
  it("is recognised by its bytes when Redis was emptied, and nothing is sent", async () => {
    const { world, path, first } = await completed(size);
    world.redis.empty();
    world.disk.replace(path, first);
    await runToEnd(world, { recognise: true });
    expect(audit(world)).toEqual([]);
    expect(streams(world)[0]).toMatchObject({ status: "completed", verify_result: "recognised" });
    expect(world.store.versions(BUCKET, "a.bin")).toHaveLength(1);
    expect(world.store.keys()).toEqual(["a.bin", "a.bin.metadata.json"]);
  });

  it("and then grew takes its own key", async () => {
    const { world, path, first } = await completed(size);
    world.redis.empty();
    world.disk.replace(path, first);
    await runToEnd(world, { recognise: true });
    world.disk.append(path, sampleBytes(1000, 2));
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(world.store.keys()).toEqual(["a.bin", "a.bin.metadata.json"]);
  });
});

describe("D1c: no birth time, and the inode number of the replaced file", () => {
  it("never splices two files, whatever verify mode is asked for", async () => {
    const world = testWorld({ birthtimes: false, reuseInodes: true, rules: { verify: "edges" } });
    const path = world.path("a.bin");
    world.disk.append(path, sampleBytes(3 * PART + 9, 1));
    const worker = world.worker();
    await worker.scan();
    await world.clock.until(() => (streams(world)[0]?.next_part ?? 1) === 4);
    world.disk.replace(path, sampleBytes(5 * PART + 9, 7));
    worker.poke();
    await world.clock.until(() => worker.busy === 0);
    const [before, after] = streams(world);
    expect(before).toMatchObject({ status: "failed_file_replaced", superseded_by: after?.id });
    expect(after).toMatchObject({ status: "completed", verify_mode: "full" });
    expect(audit(world)).toEqual([]);
    expect(world.store.keys().filter((key) => holdsFile(world, key, path))).toHaveLength(1);
  });

  it("a header that is rewritten at close is repaired, and the file stays the same", async () => {
    const world = testWorld({ birthtimes: false, reuseInodes: true, rules: { verify: "off" } });
    const path = world.path("a.bin");
    world.disk.append(path, sampleBytes(2 * PART + 9, 1));
    const worker = world.worker();
    await worker.scan();
    await world.clock.until(() => (streams(world)[0]?.next_part ?? 1) === 3);
    world.disk.rewrite(path, 0, sampleBytes(64, 9));
    worker.poke();
    await world.clock.until(() => worker.busy === 0);
    expect(streams(world)).toHaveLength(1);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
  });
});

describe("a long recording that is being copied back, piece by piece", () => {
  const SIZE = 3 * PART + 9;

  async function setAside(bytes = sampleBytes(SIZE, 1)) {
    const { world, path, first } = await completed(SIZE);
    world.redis.empty();
    world.disk.replace(path, bytes.subarray(0, PART + 5));
    const worker = world.worker();
    await worker.scan();
    await world.clock.advance(1_000);
    const grow = async (to: number, from: number) => {
      world.disk.append(path, bytes.subarray(from, to));
      worker.poke();
      await world.clock.advance(1_000);
    };
    return { world, path, first, worker, grow };
  }

  it("is sent no second time, and says why nothing is sent meanwhile", async () => {
    const { world, grow, worker } = await setAside();
    expect(parseWaiting(streams(world).at(-1)?.waiting_for)).toEqual({
      for: "copy",
      key: "a.bin",
      done: PART + 5,
      of: SIZE,
    });
    await grow(2 * PART + 7, PART + 5);
    await grow(SIZE, 2 * PART + 7);
    await worker.work();
    expect(audit(world)).toEqual([]);
    expect(streams(world)[0]).toMatchObject({ status: "completed", verify_result: "recognised" });
    expect(world.store.versions(BUCKET, "a.bin")).toHaveLength(1);
    expect(world.store.keys()).toEqual(["a.bin", "a.bin.metadata.json"]);
  });

  it("goes up under its own key from the part on that differs", async () => {
    const other = sampleBytes(SIZE, 1);
    other.set(sampleBytes(PART, 9), PART);
    const { world, path, first, grow, worker } = await setAside(other);
    expect(world.store.uploads()).toEqual([]);
    await grow(2 * PART + 7, PART + 5);
    expect(world.store.uploads()[0]?.parts).toEqual([1, 2]);
    await grow(SIZE, 2 * PART + 7);
    await worker.work();
    expect(audit(world)).toEqual([]);
    expect(equalBytes(object(world, "a.bin"), first)).toBe(true);
    expect(holdsFile(world, "a-2.bin", path)).toBe(true);
  });

  it("goes up under its own key when it is complete before its end", async () => {
    const { world, path, first, worker } = await setAside();
    await worker.work();
    expect(audit(world)).toEqual([]);
    expect(equalBytes(object(world, "a.bin"), first)).toBe(true);
    expect(holdsFile(world, "a-2.bin", path)).toBe(true);
  });
});
