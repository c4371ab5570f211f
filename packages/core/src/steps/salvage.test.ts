/** Salvage in memory: what comes of it, what it refuses, and what becomes of the file that comes back. */
import { describe, expect, test } from "vitest";
import { holdsFile, lostReply, runToEnd, streams, testWorld, WEAK_PROFILE } from "../../test/test-world.ts";
import { metadataKey } from "../object/object-key.ts";
import { audit } from "../testing/audit.ts";
import type { WorkerOptions } from "../testing/test-worker.ts";
import { BUCKET, PART, sampleBytes } from "../testing/test-values.ts";
import type { World, WorldOptions } from "../testing/world.ts";

const TAIL = 1234;

/** Two parts of a growing file are in S3, and it disappears with its tail. */
async function lost(options: Partial<WorldOptions> = {}, size = 2 * PART + TAIL) {
  const world = testWorld(options);
  const path = world.path("a.bin");
  const bytes = sampleBytes(size, 1);
  world.disk.append(path, bytes);
  let recorded = 0;
  let comesBack = (): void => undefined;
  await runToEnd(world, {
    onFailpoint(name) {
      if (name === "part_recorded" && (recorded += 1) === 2) comesBack = world.disk.take(path);
    },
  });
  const [stream] = streams(world);
  if (!stream) throw new Error("no stream");
  return { world, path, bytes, stream, comesBack };
}

async function salvage(world: World, options: WorkerOptions = {}, nth = 0) {
  const worker = world.worker(options);
  const [id] = world.redis.ids().slice(nth);
  if (id === undefined) throw new Error("no stream");
  return await world.clock.drive(worker.salvage(id));
}

const described = (world: World) =>
  JSON.parse(new TextDecoder().decode(world.store.object(BUCKET, metadataKey("a.bin"))?.bytes)) as Record<
    string,
    unknown
  >;

describe("a salvage", () => {
  test.each([
    ["that honours conditions", {}],
    ["that lacks nearly everything", WEAK_PROFILE],
  ])("on a store %s makes an object of exactly the file's first bytes", async (_name, profile) => {
    const { world, bytes, stream } = await lost({ profile });
    expect(stream).toMatchObject({ status: "failed_file_missing", source_state: "missing" });
    expect(await salvage(world)).toMatchObject({ kind: "salvaged" });
    expect(world.store.object(BUCKET, "a.bin")?.bytes).toEqual(bytes.slice(0, 2 * PART));
    expect(streams(world)[0]).toMatchObject({
      status: "completed",
      completed_by: "salvage",
      file_size: 2 * PART,
      last_known_size: 2 * PART + TAIL,
      fence: stream.fence + 1,
    });
    expect(described(world)).toMatchObject({
      partial: true,
      completed_by: "salvage",
      size: 2 * PART,
      last_known_size: 2 * PART + TAIL,
      missing_bytes: TAIL,
    });
    expect(audit(world)).toEqual([]);
  });

  test("whose reply to Complete is lost is done once", async () => {
    const { world } = await lost();
    let replies = 0;
    const storeScript: WorkerOptions["storeScript"] = ({ method }) =>
      method === "complete" && (replies += 1) === 1 ? { when: "after", throw: lostReply() } : undefined;
    expect(await salvage(world, { storeScript })).toMatchObject({ kind: "salvaged" });
    expect(world.store.versions(BUCKET, "a.bin")).toHaveLength(1);
    expect(audit(world)).toEqual([]);
  });

  test("ends before a part that is not as it was acknowledged", async () => {
    const { world, bytes } = await lost();
    const [upload] = world.store.uploads();
    if (!upload) throw new Error("no upload");
    const ref = { bucket: BUCKET, key: "a.bin", uploadId: upload.uploadId };
    const body = sampleBytes(PART, 9);
    await world.store.uploadPart(ref, 2, {
      body: { kind: "bytes", bytes: body },
      crc: world.digests.crc32(body),
    });
    world.store.takenTwice.length = 0;
    expect(await salvage(world)).toMatchObject({ kind: "salvaged" });
    expect(world.store.object(BUCKET, "a.bin")?.bytes).toEqual(bytes.slice(0, PART));
  });

  test("where its name is taken is refused, says by whom, and keeps the upload", async () => {
    const { world } = await lost();
    world.store.putForeign(BUCKET, "a.bin", sampleBytes(5, 5));
    expect(await salvage(world)).toEqual({
      kind: "refused",
      detail: "an object of another program exists at a.bin: the upload is kept",
    });
    expect(streams(world)[0]).toMatchObject({ status: "failed_file_missing" });
    expect(streams(world)[0]?.owner).toBeUndefined();
    expect(world.store.uploads()).toHaveLength(1);
    expect(audit(world)).toEqual([]);
  });

  test("of an upload without its first part is refused", async () => {
    const { world } = await lost();
    for (const { uploadId } of world.store.uploads()) world.store.dropUpload(uploadId);
    expect(await salvage(world)).toMatchObject({
      kind: "refused",
      detail: expect.stringContaining("nothing to salvage"),
    });
  });

  test("of a superseded stream is refused while its successor has the name", async () => {
    const world = testWorld();
    const path = world.path("a.bin");
    world.disk.append(path, sampleBytes(PART, 1));
    let recorded = 0;
    await runToEnd(world, {
      onFailpoint(name) {
        if (name === "part_recorded" && (recorded += 1) === 1) world.disk.replace(path, sampleBytes(77, 3));
      },
    });
    expect(streams(world)[0]).toMatchObject({ status: "failed_file_replaced", source_state: "replaced" });
    expect(await salvage(world)).toMatchObject({
      kind: "refused",
      detail: expect.stringContaining("exists at a.bin"),
    });
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(audit(world)).toEqual([]);
  });
});

describe("the file of a salvaged stream comes back", () => {
  test("longer: the whole of it is the object in the end, and no byte that the object holds is sent again", async () => {
    const { world, path, comesBack } = await lost({ profile: { copiesRanges: true } });
    const salvaged = await salvage(world);
    expect(salvaged).toMatchObject({ kind: "salvaged" });
    comesBack();
    const sent: number[] = [];
    await runToEnd(world, {
      storeScript: ({ method, args }) => {
        const { body } = (args[2] ?? {}) as { body?: { bytes: Uint8Array | number } };
        if (method === "uploadPart" && body)
          sent.push(typeof body.bytes === "number" ? body.bytes : body.bytes.length);
        return undefined;
      },
    });
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(sent.reduce((sum, one) => sum + one, 0)).toBe(TAIL);
    expect(described(world)).not.toHaveProperty("partial");
    expect(audit(world)).toEqual([]);
  });

  test("shorter, or as another file: both are kept", async () => {
    const { world, path, bytes } = await lost();
    await salvage(world);
    world.disk.append(path, sampleBytes(PART, 8));
    await runToEnd(world);
    expect(world.store.object(BUCKET, "a.bin")?.bytes).toEqual(bytes.slice(0, 2 * PART));
    expect(holdsFile(world, "a-2.bin", path)).toBe(true);
    expect(audit(world)).toEqual([]);
  });
});
