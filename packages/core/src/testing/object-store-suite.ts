/** What every object store must do for the domain, whatever it is made of: one suite proves every adapter. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StoreError } from "../errors.ts";
import { combineAll, crc32ToBase64 } from "../object/crc32.ts";
import { MIN_PART_BYTES } from "../stream/part-plan.ts";
import type { Digests } from "../ports/digests.ts";
import type {
  Condition,
  ByteSpan,
  ObjectRef,
  ObjectStore,
  OpenUpload,
  PartBody,
  UploadRef,
} from "../ports/object-store.ts";

export interface StoreUnderTest {
  store: ObjectStore;
  /** Empty at the start; the suite leaves objects in it. */
  bucket: string;
  digests: Digests;
  close?(): Promise<void>;
}

interface Sent {
  PartNumber: number;
  ETag: string;
  ChecksumCRC32: string;
  bytes: Uint8Array;
}

/**
 * `make` is called once, and its store closed at the end.
 *
 * @param differs names of tests that this store is known to fail: they run, and must fail, so that a store that has been
 *   mended is noticed
 */
export function objectStoreSuite(
  name: string,
  make: () => Promise<StoreUnderTest>,
  differs: readonly string[] = [],
): void {
  const named = new Set<string>();
  const check = (title: string, body: () => Promise<void>): void => {
    named.add(title);
    (differs.includes(title) ? test.fails : test)(title, body);
  };
  describe(`${name} is an object store`, () => {
    let made: StoreUnderTest;
    let keys = 0;
    beforeAll(async () => {
      made = await make();
    });
    afterAll(async () => {
      await made.close?.();
    });

    const freshRef = (label: string): ObjectRef => ({
      bucket: made.bucket,
      key: `${label}/${(keys += 1)}.bin`,
    });
    const headers = { contentType: "application/octet-stream", metadata: { "sluice-stream-id": "01suite" } };

    const put = async (ref: ObjectRef, body: Uint8Array, condition?: Condition) =>
      await made.store.put(ref, { ...headers, body, crc: made.digests.crc32(body), condition });

    const open = async (ref: ObjectRef): Promise<UploadRef> => ({
      ...ref,
      ...(await made.store.createUpload(ref, headers)),
    });

    const send = async (
      ref: UploadRef,
      PartNumber: number,
      bytes: Uint8Array,
      body?: PartBody,
    ): Promise<Sent> => {
      const crc = made.digests.crc32(bytes);
      const outcome = await made.store.uploadPart(ref, PartNumber, {
        body: body ?? { kind: "bytes", bytes },
        crc,
      });
      if (outcome.kind !== "stored") throw new Error(`part ${PartNumber} is ${outcome.kind}`);
      return { PartNumber, ETag: outcome.etag, ChecksumCRC32: crc32ToBase64(crc), bytes };
    };

    const complete = async (ref: UploadRef, sent: readonly Sent[], condition?: Condition) => {
      const size = sent.reduce((sum, part) => sum + part.bytes.length, 0);
      const crc = combineAll(
        sent.map(({ bytes }) => ({ crc: made.digests.crc32(bytes), bytes: bytes.length })),
      );
      const parts = sent.map(({ PartNumber, ETag, ChecksumCRC32 }) => ({ PartNumber, ETag, ChecksumCRC32 }));
      return await made.store.complete(ref, { parts, size, crc, condition });
    };

    const bytesOf = async (ref: ObjectRef, range?: ByteSpan): Promise<Uint8Array> =>
      await joined(made.store.read(ref, range));

    describe("single objects", () => {
      check("a key where nothing stands is missing, or unknown where the store does not tell", async () => {
        const { kind } = await made.store.head(freshRef("missing"));
        expect(kind).toBe(made.store.profile.headMissingIs404 ? "missing" : "unknown");
      });

      check("a stored object is found with its size, ETag, metadata and checksum", async () => {
        const ref = freshRef("stored");
        const outcome = await put(ref, text("hello"));
        const head = await made.store.head(ref);
        if (outcome.kind !== "stored" || head.kind !== "found") throw new Error("not stored");
        expect(head.object).toMatchObject({
          size: 5,
          etag: outcome.etag,
          metadata: { "sluice-stream-id": "01suite" },
        });
        if (made.store.profile.checksum === "full-object") expect(head.object.crc32).toBe("NhCmhg==");
        expect(await bytesOf(ref)).toEqual(text("hello"));
      });

      check("an empty file is an object of no bytes", async () => {
        const ref = freshRef("empty");
        expect(await put(ref, new Uint8Array(0))).toMatchObject({ kind: "stored" });
        expect(await made.store.head(ref)).toMatchObject({ kind: "found", object: { size: 0 } });
        expect(await bytesOf(ref)).toHaveLength(0);
      });

      check("a body that is not what its checksum says is garbled, and nothing is stored", async () => {
        if (made.store.profile.checksum === "off" || made.store.profile.checksum === "md5") return;
        const ref = freshRef("garbled");
        const wrong = { ...headers, body: text("hello"), crc: 1, condition: undefined };
        await expect(made.store.put(ref, wrong)).rejects.toMatchObject({
          name: "StoreError",
          trouble: "garbled",
        });
        expect((await made.store.head(ref)).kind).not.toBe("found");
      });

      check("a put that must not replace anything is a conflict where something stands", async () => {
        if (!made.store.profile.conditionalPut) return;
        const ref = freshRef("if-none-match");
        expect(await put(ref, text("first"), { ifNoneMatch: true })).toMatchObject({ kind: "stored" });
        expect(await put(ref, text("second"), { ifNoneMatch: true })).toEqual({ kind: "conflict" });
        expect(await bytesOf(ref)).toEqual(text("first"));
      });

      check("a put that replaces one object replaces that one only", async () => {
        if (!made.store.profile.conditionalPut) return;
        const ref = freshRef("if-match");
        const first = await put(ref, text("first"));
        if (first.kind !== "stored") throw new Error("not stored");
        expect(await put(ref, text("second"), { ifMatch: first.etag })).toMatchObject({ kind: "stored" });
        expect(await put(ref, text("third"), { ifMatch: first.etag })).toEqual({ kind: "conflict" });
        expect(await put(freshRef("if-match"), text("x"), { ifMatch: first.etag })).toEqual({
          kind: "conflict",
        });
        expect(await bytesOf(ref)).toEqual(text("second"));
      });

      check("a key keeps every character it was given", async () => {
        const key = `odd/ä €+%20&?#='"()!*~$@:;,[]{} 日本.tar.gz`;
        const ref = { bucket: made.bucket, key };
        await put(ref, text("odd"));
        expect(await made.store.head(ref)).toMatchObject({ kind: "found", object: { size: 3 } });
        const upload = await open(ref);
        const prefix = made.store.profile.listsUploadsByPrefix ? "odd/" : ref.key;
        expect((await uploadsUnder(prefix)).map((one) => one.key)).toContain(key);
        await made.store.abort(upload);
      });

      check("a range is read from its first byte to its last, both counted", async () => {
        const ref = freshRef("range");
        await put(ref, text("0123456789"));
        expect(await bytesOf(ref, { first: 2, last: 4 })).toEqual(text("234"));
        expect(await bytesOf(ref, { first: 9, last: 9 })).toEqual(text("9"));
      });

      check("reading what is not there is an error", async () => {
        await expect(bytesOf(freshRef("missing"))).rejects.toBeInstanceOf(StoreError);
      });
    });

    describe("multipart uploads", () => {
      const first = filled(MIN_PART_BYTES, 1);
      const second = filled(1000, 2);

      check("parts arrive in any order and come out as one object", async () => {
        const ref = await open(freshRef("parts"));
        const two = await send(ref, 2, second);
        const one = await send(ref, 1, first);
        const listing = await made.store.listParts(ref);
        if (listing.kind !== "alive") throw new Error("gone");
        expect(listing.parts.map(({ PartNumber, Size, ETag }) => ({ PartNumber, Size, ETag }))).toEqual([
          { PartNumber: 1, Size: first.length, ETag: one.ETag },
          { PartNumber: 2, Size: second.length, ETag: two.ETag },
        ]);
        const done = await complete(ref, [one, two]);
        expect(done.kind).toBe("completed");
        const head = await made.store.head(ref);
        if (head.kind !== "found") throw new Error("not found");
        expect(head.object).toMatchObject({
          size: first.length + second.length,
          metadata: { "sluice-stream-id": "01suite" },
        });
        if (made.store.profile.checksum === "full-object") {
          const crc = made.digests.crc32(second, made.digests.crc32(first));
          expect(head.object.crc32).toBe(crc32ToBase64(crc));
        }
        expect(await bytesOf(ref, { first: first.length - 1, last: first.length })).toEqual(
          Uint8Array.of(1, 2),
        );
      });

      check("a part from a file range is what the range holds", async () => {
        const ref = await open(freshRef("range-part"));
        const body = { kind: "range" as const, bytes: second.length, open: () => pieces(second, 300) };
        const sent = await send(ref, 1, second, body);
        expect((await complete(ref, [sent])).kind).toBe("completed");
        expect(await bytesOf(ref)).toEqual(second);
      });

      check("a part sent again takes the place of the first", async () => {
        const ref = await open(freshRef("again"));
        await send(ref, 1, text("old"));
        const sent = await send(ref, 1, text("newer"));
        expect(await made.store.listParts(ref)).toMatchObject({ parts: [{ PartNumber: 1, Size: 5 }] });
        expect((await complete(ref, [sent])).kind).toBe("completed");
        expect(await bytesOf(ref)).toEqual(text("newer"));
      });

      check("a part that is not what its checksum says is garbled and not kept", async () => {
        if (made.store.profile.checksum === "off" || made.store.profile.checksum === "md5") return;
        const ref = await open(freshRef("garbled"));
        const wrong = { body: { kind: "bytes" as const, bytes: text("hello") }, crc: 1 };
        await expect(made.store.uploadPart(ref, 1, wrong)).rejects.toMatchObject({ trouble: "garbled" });
        expect(await made.store.listParts(ref)).toEqual({ kind: "alive", parts: [] });
        await made.store.abort(ref);
      });

      check("a range is copied from an object that stands, and only from that one", async () => {
        if (!made.store.profile.copiesRanges) return;
        const source = freshRef("copy-source");
        const body = filled(MIN_PART_BYTES + 3, 1);
        body.set([7, 8, 9], MIN_PART_BYTES);
        const stored = await put(source, body);
        if (stored.kind !== "stored") throw new Error("not stored");
        const ref = await open(freshRef("copied"));
        const range = { first: 3, last: body.length - 1 };
        const request = { source, ifMatch: stored.etag, range };
        expect(await made.store.copyPart(ref, 1, { ...request, ifMatch: "another" })).toEqual({
          kind: "source_changed",
        });
        const missing = { ...source, key: `${source.key}-missing` };
        expect(await made.store.copyPart(ref, 1, { ...request, source: missing })).toEqual({
          kind: "source_changed",
        });
        expect(await made.store.listParts(ref)).toEqual({ kind: "alive", parts: [] });
        const copied = await made.store.copyPart(ref, 1, request);
        if (copied.kind !== "copied") throw new Error(`the part is ${copied.kind}`);
        const bytes = body.slice(3);
        const ChecksumCRC32 = crc32ToBase64(made.digests.crc32(bytes));
        expect(copied.crc32 ?? ChecksumCRC32).toBe(ChecksumCRC32);
        const one = { PartNumber: 1, ETag: copied.etag, ChecksumCRC32, bytes };
        const listed = { PartNumber: 1, Size: bytes.length, ETag: copied.etag };
        expect(await made.store.listParts(ref)).toMatchObject({ parts: [listed] });
        expect((await complete(ref, [one, await send(ref, 2, second)])).kind).toBe("completed");
        expect(await bytesOf(ref, { first: bytes.length - 2, last: bytes.length })).toEqual(
          Uint8Array.of(8, 9, 2),
        );
        expect((await made.store.copyPart(ref, 2, request)).kind).toMatch(/gone|source_changed/);
      });

      check("an upload is not sent on a signal that has come already", async () => {
        const ref = await open(freshRef("signal"));
        const signal = AbortSignal.abort(new Error("stop"));
        const request = { body: { kind: "bytes" as const, bytes: text("x") }, crc: 0, signal };
        await expect(made.store.uploadPart(ref, 1, request)).rejects.toThrow("stop");
        expect(await made.store.listParts(ref)).toEqual({ kind: "alive", parts: [] });
        await made.store.abort(ref);
      });

      check(
        "S6 a Complete that names a stale ETag, or a part that is not there, leaves the upload to be repaired",
        async () => {
          const ref = await open(freshRef("repair"));
          const stale = await send(ref, 1, first);
          const sent = await send(ref, 1, filled(MIN_PART_BYTES, 3));
          const last = await send(ref, 2, second);
          expect((await complete(ref, [stale, last])).kind).toBe("invalid_part");
          expect((await complete(ref, [sent, { ...last, PartNumber: 3 }])).kind).toBe("invalid_part");
          expect((await made.store.listParts(ref)).kind).toBe("alive");
          expect((await complete(ref, [sent, last])).kind).toBe("completed");
        },
      );

      check("S1 a part that is too small is refused at Complete, and the upload stays", async () => {
        const ref = await open(freshRef("small"));
        const parts = [await send(ref, 1, second), await send(ref, 2, second)];
        expect((await complete(ref, parts)).kind).toBe("invalid_part");
        expect((await made.store.listParts(ref)).kind).toBe("alive");
        await made.store.abort(ref);
      });

      check("S14 a Complete that is repeated says the same again, or that the upload is gone", async () => {
        const ref = await open(freshRef("repeat"));
        const parts = [await send(ref, 1, text("x"))];
        const once = await complete(ref, parts);
        const twice = await complete(ref, parts);
        expect(twice.kind).toBe(made.store.profile.repeatComplete ? "completed" : "gone");
        // A store may leave the ETag out of its first answer (Ceph), never out of the second.
        if (made.store.profile.repeatComplete) {
          expect(twice).toMatchObject({ etag: etagOf(once) ?? (expect.any(String) as string) });
        }
        expect(await bytesOf(ref)).toEqual(text("x"));
      });

      check("S27 what is completed is gone as an upload, and its abort leaves the object alone", async () => {
        const ref = await open(freshRef("completed"));
        const parts = [await send(ref, 1, text("x"))];
        await complete(ref, parts);
        expect(await made.store.listParts(ref)).toEqual({ kind: "gone" });
        const late = await made.store.uploadPart(ref, 2, {
          body: { kind: "bytes", bytes: text("y") },
          crc: crc(text("y")),
        });
        expect(late).toEqual({ kind: "gone" });
        await made.store.abort(ref);
        expect(await bytesOf(ref)).toEqual(text("x"));
      });

      check("S24 a Complete that must not replace anything is a conflict, and the upload stays", async () => {
        if (!made.store.profile.conditionalComplete) return;
        const target = freshRef("conditional");
        const ref = await open(target);
        const parts = [await send(ref, 1, text("mine"))];
        const theirs = await put(target, text("theirs"));
        expect(await complete(ref, parts, { ifNoneMatch: true })).toEqual({ kind: "conflict" });
        expect((await made.store.listParts(ref)).kind).toBe("alive");
        if (theirs.kind !== "stored") throw new Error("not stored");
        expect((await complete(ref, parts, { ifMatch: theirs.etag })).kind).toBe("completed");
        expect(await bytesOf(ref)).toEqual(text("mine"));
      });

      check("an aborted upload is gone for every request, and aborting it again is success", async () => {
        const ref = await open(freshRef("aborted"));
        const parts = [await send(ref, 1, text("x"))];
        await made.store.abort(ref);
        expect(await made.store.listParts(ref)).toEqual({ kind: "gone" });
        expect(await complete(ref, parts)).toEqual({ kind: "gone" });
        await made.store.abort(ref);
        expect((await made.store.head(ref)).kind).not.toBe("found");
      });

      check("open uploads are listed under their prefix until they end, two of one key as two", async () => {
        const key = "listed/one.bin";
        const one = await open({ bucket: made.bucket, key });
        const two = await open({ bucket: made.bucket, key });
        const other = await open({ bucket: made.bucket, key: "elsewhere/one.bin" });
        const prefix = made.store.profile.listsUploadsByPrefix ? "listed/" : key;
        const found = (await uploadsUnder(prefix)).map((upload) => upload.uploadId);
        expect(found.toSorted()).toEqual([one.uploadId, two.uploadId].toSorted());
        for (const upload of [one, two, other]) await made.store.abort(upload);
        expect(await uploadsUnder(prefix)).toEqual([]);
      });
    });

    test("every test that it is known to fail exists", () => {
      expect(differs.filter((title) => !named.has(title))).toEqual([]);
    });

    const crc = (bytes: Uint8Array): number => made.digests.crc32(bytes);

    const uploadsUnder = async (prefix: string): Promise<OpenUpload[]> => {
      const found: OpenUpload[] = [];
      for await (const upload of made.store.listUploads(made.bucket, prefix)) found.push(upload);
      return found;
    };
  });
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function filled(bytes: number, value: number): Uint8Array {
  return new Uint8Array(bytes).fill(value);
}

async function* pieces(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function joined(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: number[] = [];
  for await (const chunk of source) all.push(...chunk);
  return Uint8Array.from(all);
}

function etagOf(outcome: { kind: string; etag?: string | undefined }): string | undefined {
  return outcome.etag;
}
