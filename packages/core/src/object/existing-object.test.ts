import { describe, expect, it } from "vitest";
import { nodeDigests } from "../../test/node-digests.ts";
import { holdsFile, runToEnd, streams, testWorld } from "../../test/test-world.ts";
import type { Head, ObjectRef } from "../ports/object-store.ts";
import { audit } from "../testing/audit.ts";
import { BUCKET, FACTS, newStream, PART, sampleBytes, SOURCE } from "../testing/test-values.ts";
import {
  conditionFor,
  OBJECT_CRC_HEADER,
  OBJECT_ETAG_HEADER,
  existingFrom,
  existingWithMetadata,
} from "./existing-object.ts";
import { FILE_HEADER, fileToken, STREAM_ID_HEADER } from "./object-headers.ts";
import type { ObjectContext } from "./context.ts";

const { hash } = nodeDigests;
const facts = { ...FACTS, size: 100 };
const record = newStream({ id: "me", facts, supersedes: { id: "before" } });
const found = (metadata: Record<string, string>, size = 100): Head => ({
  kind: "found",
  object: { size, etag: "e", metadata },
});
const token = fileToken(SOURCE, facts, hash);

describe("what an object at our key is to us, from its headers and size", () => {
  it.each([
    ["nothing there", { kind: "missing" } as Head, "free"],
    ["S18: nobody says whether something is there", { kind: "unknown" } as Head, "free"],
    ["no headers of ours", found({}), "foreign"],
    [
      "another stream's, of another file",
      found({ [STREAM_ID_HEADER]: "other", [FILE_HEADER]: "x" }),
      "foreign",
    ],
    ["ours", found({ [STREAM_ID_HEADER]: "me" }), "earlier"],
    ["ours, longer than the file is now", found({ [STREAM_ID_HEADER]: "me" }, 101), "earlier"],
    [
      "another stream's of the same file",
      found({ [STREAM_ID_HEADER]: "x", [FILE_HEADER]: token }),
      "earlier",
    ],
    ["the generation's before", found({ [STREAM_ID_HEADER]: "before" }, 50), "earlier"],
    ["longer than the file, of the same file", found({ [FILE_HEADER]: token }, 101), "foreign"],
    [
      "longer than the file, of the generation before",
      found({ [STREAM_ID_HEADER]: "before" }, 101),
      "foreign",
    ],
  ])("%s", (_case, head, kind) => {
    expect(existingFrom(head, record, facts, hash).kind).toBe(kind);
  });

  it("no header at all is not the generation before of a stream that has none", () => {
    const { supersedes: _, ...first } = record;
    expect(existingFrom(found({}), first, facts, hash).kind).toBe("foreign");
  });

  it("says under which condition it may be written", () => {
    const earlier = existingFrom(found({ [STREAM_ID_HEADER]: "me" }), record, facts, hash);
    expect(conditionFor(earlier, { onConflict: "keep-both" })).toEqual({ ifMatch: "e" });
    expect(conditionFor({ kind: "free" }, { onConflict: "keep-both" })).toEqual({ ifNoneMatch: true });
    expect(conditionFor({ kind: "foreign" }, { onConflict: "overwrite" })).toBeUndefined();
  });
});

describe("an object without ids, as the founding phase left them", () => {
  /** The store shows `beside` at whatever else is asked for. */
  async function existing(head: Head, beside: Head) {
    const asked: string[] = [];
    const context = {
      held: { record },
      rules: { onReplace: "keep-both" },
      store: { ask: (_operation: string, act: () => Promise<Head>) => act() },
      deps: {
        digests: nodeDigests,
        completed: { entry: () => undefined },
        store: {
          head: (ref: ObjectRef) => {
            asked.push(ref.key);
            return Promise.resolve(beside);
          },
        },
      },
    } as unknown as ObjectContext;
    return { asked, is: await existingWithMetadata(context, { bucket: BUCKET, key: "a.bin" }, head, facts) };
  }
  const mine = { [STREAM_ID_HEADER]: "me", [OBJECT_ETAG_HEADER]: "e" };

  it.each([
    ["ours", found(mine), { kind: "earlier", own: true }],
    ["the same file's", found({ ...mine, [STREAM_ID_HEADER]: "x", [FILE_HEADER]: token }), { own: false }],
    ["the generation's before", found({ ...mine, [STREAM_ID_HEADER]: "before" }), { own: false }],
    ["not ours: it describes an object of another ETag", found({ ...mine, [OBJECT_ETAG_HEADER]: "f" }), {}],
    ["not ours: it describes no object", found({ [STREAM_ID_HEADER]: "me" }), {}],
    ["not ours: it is another stream's", found({ ...mine, [STREAM_ID_HEADER]: "x" }), {}],
    ["not ours: there is none", { kind: "missing" } as Head, {}],
  ])("is what the metadata object beside it says: %s", async (_case, beside, expected) => {
    const { asked, is } = await existing(found({}), beside);
    expect(is).toMatchObject({ kind: "own" in expected ? "earlier" : "foreign", ...expected });
    expect(asked).toEqual(["a.bin.metadata.json"]);
  });

  it("is not ours when it is longer than the file, whatever is said of it", async () => {
    expect((await existing(found({}, 101), found(mine))).is).toEqual({ kind: "foreign" });
    expect((await existing(found({}, 100), found(mine))).is).toMatchObject({ kind: "earlier" });
  });

  it("has the CRC32 that is said of it, else its own", async () => {
    const said = await existing(found({}), found({ ...mine, [OBJECT_CRC_HEADER]: "AAAAAA==" }));
    expect(said.is).toMatchObject({ object: { size: 100, etag: "e", crc32: "AAAAAA==" } });
    const { is } = await existing(found({}), found(mine));
    expect(is).toStrictEqual({ kind: "earlier", own: true, object: { size: 100, etag: "e", metadata: {} } });
  });

  it.each([
    ["an id of another stream", found({ [STREAM_ID_HEADER]: "x" })],
    ["a token of another file", found({ [FILE_HEADER]: "x" })],
  ])("is one that does not bear %s, either of which speaks for itself", async (_case, head) => {
    expect(await existing(head, found(mine))).toEqual({ asked: [], is: { kind: "foreign" } });
  });

  it("is one that is there, and not ours already", async () => {
    expect(await existing({ kind: "missing" }, found(mine))).toEqual({ asked: [], is: { kind: "free" } });
    const own = await existing(found({ [STREAM_ID_HEADER]: "me" }), found(mine));
    expect(own).toMatchObject({ asked: [], is: { kind: "earlier", own: true } });
  });
});

describe("P4: a file of several parts that S3 has already", () => {
  it.each([
    ["by the whole object's CRC32", {}],
    ["by the ETag computed on our grid", { checksum: "per-part" as const }],
  ])("is recognised %s when Redis was emptied: nothing is sent", async (_case, profile) => {
    const world = testWorld({ profile });
    const path = world.path("a.bin");
    world.disk.append(path, sampleBytes(2 * PART + 9, 1));
    await runToEnd(world);
    world.redis.empty();
    await runToEnd(world, { recognise: true });
    expect(audit(world)).toEqual([]);
    expect(world.store.count("createUpload")).toBe(1);
    expect(streams(world)[0]).toMatchObject({ status: "completed", verify_result: "recognised" });
  });

  it("is sent again when nothing tells its bytes, and replaces it", async () => {
    const world = testWorld({ profile: { checksum: "off", etagIsMd5: false } });
    const path = world.path("a.bin");
    world.disk.append(path, sampleBytes(PART + 9, 1));
    await runToEnd(world);
    world.redis.empty();
    await runToEnd(world, { recognise: true });
    expect(audit(world)).toEqual([]);
    expect(world.store.count("createUpload")).toBe(2);
    expect(world.store.keys()).toEqual(["a.bin", "a.bin.metadata.json"]);
  });

  it("is not recognised when one byte differs", async () => {
    const world = testWorld();
    const path = world.path("a.bin");
    world.disk.append(path, sampleBytes(PART + 9, 1));
    await runToEnd(world);
    world.redis.empty();
    world.disk.rewrite(path, PART, new Uint8Array([1, 2, 3]));
    await runToEnd(world, { recognise: true });
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(world.store.versions(BUCKET, "a.bin")).toHaveLength(2);
  });
});

it("F3: a completed file that was only touched is recognised, not sent again", async () => {
  const world = testWorld();
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(PART + 9, 1));
  await runToEnd(world);
  world.disk.touch(path);
  await runToEnd(world);
  expect(audit(world)).toEqual([]);
  expect(world.store.versions(BUCKET, "a.bin")).toHaveLength(1);
  expect(streams(world)).toHaveLength(2);
});
