/** Uploads that do not bear this stream's ids: of the founding phase, or found again after Redis was emptied. */
import { describe, expect, it } from "vitest";
import { atCall, either, type Script } from "../testing/failing.ts";
import { quickDigests } from "../../test/node-digests.ts";
import { holdsFile, lostReply, runToEnd, streams, testWorld, WEAK_PROFILE } from "../../test/test-world.ts";
import { formatPlan } from "../stream/part-plan.ts";
import { audit } from "../testing/audit.ts";
import { MemoryCheckpointStore } from "../testing/memory-checkpoint-store.ts";
import { BUCKET, PART, sampleBytes } from "../testing/test-values.ts";
import type { World, WorldOptions } from "../testing/world.ts";
import { FILE_HEADER, STREAM_ID_HEADER } from "../object/object-headers.ts";
import { md5Hex } from "../object/part-bytes.ts";

const FIRST = 6_000_000;
const LATE = { contentType: "application/octet-stream", metadata: {} };
const FOREIGN_IDS = { [STREAM_ID_HEADER]: "another", [FILE_HEADER]: "of another source" };

/** A stream with an open upload whose object will bear `metadata`. */
async function opened(options: Partial<WorldOptions>, metadata: Record<string, string>) {
  const world = testWorld(options);
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(2 * PART + 9, 1));
  await world.worker({ dieAt: { failpoint: "upload_recorded", nth: 1 } }).work();
  const [record] = streams(world);
  const [upload] = world.store.uploads();
  if (!record || !upload) throw new Error("there is a stream with an upload");
  Object.assign(upload.headers, { metadata });
  return { world, path, record, upload };
}

/** As the founding phase left it: no ids, and a first part on no grid. */
async function founding(options: Partial<WorldOptions> = {}) {
  const { world, path, record, upload } = await opened(options, {});
  const body = world.disk.bytes(path).slice(0, FIRST);
  world.store.overwritePart(upload.uploadId, 1, body);
  const part = { PartNumber: 1, ETag: md5Hex(body, quickDigests), Size: FIRST, Offset: 0 };
  const editor = new MemoryCheckpointStore(world.redis, "editor", "n");
  const [claim] = await editor.claim([record.id]);
  if (claim?.kind !== "claimed") throw new Error("claimed");
  const part_plan = formatPlan({ kind: "listed", count: 1, bytes: FIRST, partBytes: PART });
  const patch = { part_plan, next_part: 2, bytes_sent: FIRST };
  await editor.write(claim.record, { from: ["processing"], parts: [part], patch });
  world.redis.lapse("editor");
  return { world, path };
}

/** Whether the file is one object, put there once, and nothing else is left. */
function storedOnce(world: World, path: string): boolean {
  expect(audit(world)).toEqual([]);
  expect(world.store.keys()).toEqual(["a.bin", "a.bin.metadata.json"]);
  return holdsFile(world, "a.bin", path) && world.store.versions(BUCKET, "a.bin").length === 1;
}

const STORES = [
  ["that keeps checksums", {}],
  ["that keeps none", { checksum: "md5" as const, repeatComplete: false, conditionalComplete: false }],
] as const;

describe("an upload of the founding phase", () => {
  it.each(STORES)(
    "C16: whose Complete was not recorded is known by its ETag, on a store %s",
    async (_case, profile) => {
      const { world, path } = await founding({ profile });
      await world.worker({ dieAt: { failpoint: "completed_in_store", nth: 1 } }).work();
      await runToEnd(world);
      expect(storedOnce(world, path)).toBe(true);
      expect(streams(world)[0]?.verify_result).toBe("identical");
    },
  );

  it.each(STORES)(
    "C15: whose Complete has no answer is known by its ETag, on a store %s",
    async (_case, profile) => {
      const { world, path } = await founding({ profile });
      await runToEnd(world, { storeScript: atCall("complete", 1, { when: "after", throw: lostReply() }) });
      expect(storedOnce(world, path)).toBe(true);
    },
  );

  it("P4: is known again by its metadata object when Redis was emptied: nothing is sent", async () => {
    const { world, path } = await founding();
    await runToEnd(world);
    world.redis.empty();
    await runToEnd(world, { recognise: true });
    expect(storedOnce(world, path)).toBe(true);
    expect(streams(world)[0]?.verify_result).toBe("recognised");
  });

  it("is replaced in its place when Redis was emptied and no checksum tells its bytes", async () => {
    const { world, path } = await founding({ profile: { checksum: "md5" } });
    await runToEnd(world);
    world.redis.empty();
    await runToEnd(world, { recognise: true });
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(world.store.keys()).toEqual(["a.bin", "a.bin.metadata.json"]);
  });

  it("P5: is not taken for done by an object that other bytes made", async () => {
    const { world, path } = await founding({ profile: { checksum: "md5" } });
    await world.worker({ dieAt: { failpoint: "completed_in_store", nth: 1 } }).work();
    world.disk.rewrite(path, PART, new Uint8Array([1, 2, 3]));
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a-2.bin", path)).toBe(true);
  });

  it("goes up again under the next name where no ETag tells its bytes", async () => {
    const { world, path } = await founding({ profile: WEAK_PROFILE });
    await world.worker({ dieAt: { failpoint: "completed_in_store", nth: 1 } }).work();
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a-2.bin", path)).toBe(true);
  });
});

describe("an upload whose Create was taken for lost", () => {
  it("P3: is removed, also when the store opens it after it was looked for", async () => {
    const world = testWorld();
    const path = world.path("a.bin");
    world.disk.append(path, sampleBytes(2 * PART + 9, 1));
    const lost = atCall("createUpload", 1, { when: "before", throw: lostReply() });
    // The first request takes effect only now.
    const late: Script = ({ method }) => {
      if (method === "complete") void world.store.createUpload({ bucket: BUCKET, key: "a.bin" }, LATE);
      return undefined;
    };
    await runToEnd(world, { storeScript: either(lost, late) });
    expect(world.store.uploads()).toEqual([]);
    expect(storedOnce(world, path)).toBe(true);
  });
});

describe("an upload that bears the ids of another source", () => {
  it.each(STORES)("P5: is this stream's once it is completed, on a store %s", async (_case, profile) => {
    const { world, path } = await opened({ profile }, FOREIGN_IDS);
    await runToEnd(world);
    expect(storedOnce(world, path)).toBe(true);
  });

  it("P5: is this stream's also when Complete has no answer, or names no ETag", async () => {
    for (const mishap of [
      { when: "after", throw: lostReply() } as const,
      { answer: { kind: "completed" }, made: true } as const,
    ]) {
      const { world, path } = await opened({}, FOREIGN_IDS);
      await runToEnd(world, { storeScript: atCall("complete", 1, mishap) });
      expect(storedOnce(world, path)).toBe(true);
    }
  });
});
