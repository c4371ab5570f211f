/** One key a stream, one upload a stream; whatever is lost on the way to them. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { holdsFile, lostReply, runToEnd, streams, testWorld } from "../../test/test-world.ts";
import { audit } from "../testing/audit.ts";
import { atCall, either } from "../testing/failing.ts";
import { BUCKET, PART, sampleBytes } from "../testing/test-values.ts";
import type { World, WorldOptions } from "../testing/world.ts";
import { LIMITS } from "../limits.ts";
import { firstFree } from "./open-object.ts";

function withFile(options: Partial<WorldOptions> = {}): { world: World; path: string } {
  const world = testWorld(options);
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(PART + 10, 1));
  return { world, path };
}

const headers = { contentType: "x/y", metadata: {} };
const ref = { bucket: BUCKET, key: "a.bin" };

describe("the key of a stream with parts", () => {
  it("is the next free name when another program's object stands there, found before a byte is sent", async () => {
    const { world, path } = withFile();
    world.store.putForeign(BUCKET, "a.bin", sampleBytes(9, 9));
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a-2.bin", path)).toBe(true);
    expect(world.store.uploads()).toEqual([]);
  });

  it("is the next one also when only a live stream of ours has the name, under overwrite too", async () => {
    const { world } = withFile({ rules: { onConflict: "overwrite" } });
    // Two files whose names differ in a temporary suffix want one key.
    const other = world.path("a.bin.part");
    world.disk.append(other, sampleBytes(PART + 20, 2));
    const worker = world.worker();
    await worker.scan();
    await world.clock.advance(1_000);
    expect(streams(world).map((record) => record.s3_key)).toEqual(["a.bin", "a-2.bin"]);
    await [...worker.processors.values()][1]?.finalize(false);
    await worker.work();
    expect(audit(world)).toEqual([]);
  });

  it("is fixed before the store is asked, so that no stream of ours takes it in between", async () => {
    const { world } = withFile();
    const taken: (string | undefined)[] = [];
    await runToEnd(world, {
      storeScript: (call) => {
        if (call.method === "head") taken.push(world.redis.holderOfKey(BUCKET, "a.bin"));
        return undefined;
      },
    });
    expect(taken[0]).toBe("stream0001");
  });

  it.each([
    ["of several parts", PART + 10, 24],
    ["that goes up in one request", 900, 24],
  ])("D1a: number 300 of a file %s is found with few questions", async (_case, bytes, atMost) => {
    const world = testWorld();
    const path = world.path("a.bin");
    world.disk.append(path, sampleBytes(bytes, 1));
    for (let number = 1; number < 300; number += 1) {
      world.store.putForeign(BUCKET, number === 1 ? "a.bin" : `a-${number}.bin`, sampleBytes(9, 9));
    }
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a-300.bin", path)).toBe(true);
    expect(world.store.count("head")).toBeLessThanOrEqual(atMost);
  });

  it.each(["keep-both", "overwrite"] as const)(
    "D3c: is the next one where another program has its metadata's name, with %s",
    async (onConflict) => {
      const { world, path } = withFile({ rules: { onConflict } });
      world.store.putForeign(BUCKET, "a.bin.metadata.json", sampleBytes(9, 9));
      await runToEnd(world);
      expect(audit(world)).toEqual([]);
      expect(holdsFile(world, "a-2.bin", path)).toBe(true);
      expect(world.store.object(BUCKET, "a.bin.metadata.json")?.bytes).toHaveLength(9);
    },
  );

  it("is given back with its metadata's when the stream has completed", async () => {
    const { world } = withFile();
    const worker = world.worker({ dieAt: { failpoint: "assembled", nth: 1 } });
    await worker.work();
    expect(world.redis.takenKeys()).toEqual([`${BUCKET}/a.bin`, `${BUCKET}/a.bin.metadata.json`]);
    await runToEnd(world);
    expect(world.redis.takenKeys()).toEqual([]);
  });
});

describe("CreateMultipartUpload", () => {
  it("X9: carries the stream's id and the file's token, and no path", async () => {
    const { world } = withFile({ rules: { metadata: { team: "tv" } } });
    await world.worker({ dieAt: { failpoint: "upload_recorded", nth: 1 } }).work();
    const [upload] = world.store.uploads();
    expect(upload?.headers.metadata).toMatchObject({ team: "tv", "sluice-stream-id": "stream0001" });
    expect(JSON.stringify(upload?.headers)).not.toContain("inbox");
  });

  it.each([
    ["S14: was carried out", "after", 1],
    ["never arrived", "before", 2],
  ] as const)("whose answer is lost and that %s leaves one upload", async (_case, lost, asked) => {
    const { world } = withFile();
    await runToEnd(world, { storeScript: atCall("createUpload", 1, { when: lost, throw: lostReply() }) });
    expect(audit(world)).toEqual([]);
    expect(world.store.count("createUpload")).toBe(lost === "after" ? 1 : asked - 1);
  });

  it("C2: and its record are lost together: the upload is found again by its key", async () => {
    const { world } = withFile();
    await world.worker({ dieAt: { failpoint: "upload_recorded", nth: 1 } }).work();
    // The last write is the one that saved the upload id.
    world.redis.loseLastWrite();
    expect(streams(world)[0]?.s3_upload_id).toBeUndefined();
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(world.store.count("createUpload")).toBe(1);
  });

  it("P7: is not sent by a worker whose lease is not fresh", async () => {
    const { world } = withFile();
    const worker = world.worker();
    worker.lease.isFresh = false;
    await worker.scan();
    await world.clock.advance(20_000);
    expect(world.store.count("createUpload")).toBe(0);
    expect(streams(world)[0]?.waiting_for).toContain("lease");
    worker.lease.isFresh = true;
    await worker.work();
    expect(audit(world)).toEqual([]);
  });
});

describe("an upload that stands on the key when Create was interrupted", () => {
  const interrupted = async (world: World): Promise<void> => {
    await world.worker({ dieAt: { failpoint: "create_intended", nth: 1 } }).work();
  };

  it("X12: is not taken when its parts are not this file's", async () => {
    const { world, path } = withFile();
    await interrupted(world);
    const { uploadId } = await world.store.createUpload(ref, headers);
    world.store.overwritePart(uploadId, 1, sampleBytes(PART, 77));
    await runToEnd(world);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(world.store.uploads().map((upload) => upload.uploadId)).toEqual([uploadId]);
  });

  it.each([
    ["an hour behind", -3_600_000],
    ["an hour ahead", 3_600_000],
  ])("S32: is found where the store's clock is %s", async (_case, skewMs) => {
    const { world } = withFile();
    world.store.clockSkewMs = skewMs;
    await world.worker({ dieAt: { failpoint: "upload_created", nth: 1 } }).work();
    expect(streams(world)[0]?.s3_upload_id).toBeUndefined();
    await world.clock.advance(1_000);
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(world.store.count("createUpload")).toBe(1);
  });

  it("S32: of a file before is not taken where the store's clock is ahead", async () => {
    const { world } = withFile();
    world.store.clockSkewMs = 3_600_000;
    const { uploadId } = await world.store.createUpload(ref, headers);
    await world.clock.advance(1_800_000);
    await interrupted(world);
    await runToEnd(world);
    expect(world.store.uploads().map((upload) => upload.uploadId)).toEqual([uploadId]);
  });

  it("is not taken when it began before the stream", async () => {
    const { world } = withFile();
    const { uploadId } = await world.store.createUpload(ref, headers);
    await world.clock.advance(3_600_000);
    await interrupted(world);
    await runToEnd(world);
    expect(world.store.uploads().map((upload) => upload.uploadId)).toEqual([uploadId]);
  });

  it("is taken when its parts are this file's, and they are not sent again", async () => {
    const { world, path } = withFile();
    await interrupted(world);
    const { uploadId } = await world.store.createUpload(ref, headers);
    world.store.overwritePart(uploadId, 1, world.disk.bytes(path).slice(0, PART));
    await world.worker({ dieAt: { failpoint: "settled", nth: 1 } }).work();
    expect(streams(world)[0]?.s3_upload_id).toBe(uploadId);
    expect(world.store.count("uploadPart")).toBe(0);
  });

  it("P3: and is empty and not used is removed when the stream completes", async () => {
    const { world } = withFile();
    await interrupted(world);
    const ours = { ...headers, metadata: { "sluice-stream-id": "stream0001" } };
    await world.store.createUpload(ref, ours);
    await world.clock.advance(10);
    await world.store.createUpload(ref, ours);
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(world.store.uploads()).toEqual([]);
  });

  it("is looked for on its own key alone, where the store lists by prefix", async () => {
    const { world } = withFile();
    await interrupted(world);
    await world.store.createUpload({ bucket: BUCKET, key: "a.bin.old" }, headers);
    await world.worker({ dieAt: { failpoint: "upload_recorded", nth: 1 } }).work();
    expect(streams(world)[0]?.s3_upload_id).toBe("upload-2");
  });
});

it("a stream that is aborted in the middle of Create leaves no upload", async () => {
  const { world } = withFile();
  const worker = world.worker({
    storeScript: either(atCall("createUpload", 1, { when: "after", throw: lostReply() }), (call) =>
      call.method === "listUploads" && call.nth === 1 ? abort() : undefined,
    ),
  });
  function abort(): undefined {
    void worker.processors.get("stream0001")?.abort();
  }
  await worker.work();
  expect(streams(world)[0]?.status).toBe("failed_aborted_by_operator");
  expect(world.store.uploads()).toEqual([]);
});

describe("when the store will abort the upload", () => {
  it("is recorded as the store says it, and taken back with the upload", async () => {
    const { world } = withFile();
    world.store.abortUploadsAt("2027-01-01T00:00:00.000Z");
    await world.worker({ dieAt: { failpoint: "upload_recorded", nth: 1 } }).work();
    expect(streams(world)[0]?.upload_aborts_at_utc).toBe("2027-01-01T00:00:00.000Z");
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(streams(world)[0]).toMatchObject({ status: "completed" });
    expect(streams(world)[0]?.upload_aborts_at_utc).toBeUndefined();
  });

  it("is counted from the upload's beginning where the store is known to say nothing", async () => {
    const { world } = withFile({ profile: { uploadAgeDays: 7 } });
    const began = world.clock.wallMs();
    await world.worker({ dieAt: { failpoint: "upload_recorded", nth: 1 } }).work();
    const [record] = streams(world);
    const ms = Date.parse(record?.upload_aborts_at_utc ?? "") - 7 * 86_400_000;
    expect(ms).toBeGreaterThanOrEqual(began);
    expect(ms).toBeLessThanOrEqual(world.clock.wallMs());
  });

  it("is counted from an interrupted Create, not from when its upload was found again", async () => {
    const { world } = withFile({ profile: { uploadAgeDays: 7 } });
    await world.worker({ dieAt: { failpoint: "upload_created", nth: 1 } }).work();
    const [upload] = await Array.fromAsync(world.store.listUploads(BUCKET, "a.bin"));
    await world.clock.advance(3_600_000);
    await world.worker({ dieAt: { failpoint: "upload_recorded", nth: 1 } }).work();
    const ends = Date.parse(upload?.initiated ?? "") + 7 * 86_400_000;
    expect(streams(world)[0]?.upload_aborts_at_utc).toBe(new Date(ends).toISOString());
  });

  it("is what ListParts says once a rule came later", async () => {
    const { world } = withFile();
    await world.worker({ dieAt: { failpoint: "upload_recorded", nth: 1 } }).work();
    expect(streams(world)[0]?.upload_aborts_at_utc).toBeUndefined();
    world.store.abortUploadsAt("2027-01-01T00:00:00.000Z");
    await world.worker({ dieAt: { failpoint: "part_sending", nth: 1 } }).work();
    expect(streams(world)[0]?.upload_aborts_at_utc).toBe("2027-01-01T00:00:00.000Z");
  });
});

it("D1a: finds the first free number past the taken ones, with two questions for each doubling", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 100_000 }), async (taken) => {
      let asked = 0;
      const free = await firstFree((number) => {
        asked += 1;
        return Promise.resolve(number > taken);
      });
      expect(free).toBe(taken + 1);
      expect(asked).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(taken + 1)) + 2);
    }),
  );
});

it("D1a: finds a free one where some in between were given up", async () => {
  const free = await firstFree((number) => Promise.resolve(number > 50 || (number > 10 && number < 20)));
  expect(free > 50 || (free > 10 && free < 20)).toBe(true);
});

it("ends where no number is free", async () => {
  expect(await firstFree(() => Promise.resolve(false))).toBe(LIMITS.keyNumber);
});
