/** Uploads from their beginning to either end: paging, aborts, checksums of uploads that others began, what objects bear. */
import { GetObjectTaggingCommand, HeadObjectCommand, CreateMultipartUploadCommand } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { S3ObjectStore } from "../src/object-store.ts";
import {
  AWS_LIKE,
  BUCKET,
  HEADERS,
  openUpload,
  partRequest,
  putRequest,
  ref,
  startRig,
  uploadWithPart,
} from "./rig.ts";

const PART = Buffer.from("a part");
const xml = (body: string) =>
  ({ kind: "reply", reply: { status: 200, body, headers: { "content-type": "application/xml" } } }) as const;

describe("S19 listings are read to their end", () => {
  test("parts beyond the first page", async () => {
    await using rig = await startRig();
    const upload = await openUpload(rig.store, "many");
    for (let first = 1; first <= 1_005; first += 67) {
      const numbers = Array.from({ length: 67 }, (_, n) => first + n);
      await Promise.all(numbers.map((number) => rig.store.uploadPart(upload, number, partRequest(PART))));
    }
    const listing = await rig.store.listParts(upload);
    if (listing.kind !== "alive") throw new Error("gone");
    expect(listing.parts.map((part) => part.PartNumber)).toEqual(
      Array.from({ length: 1_005 }, (_, n) => n + 1),
    );
    expect(rig.count("ListParts")).toBe(2);
  });

  test("uploads beyond the first page, two of them on one key across the page's end", async () => {
    await using rig = await startRig();
    const keys = Array.from({ length: 1_003 }, (_, n) => `u/${String(n).padStart(4, "0")}`);
    keys[1_000] = keys[999] as string;
    for (let first = 0; first < keys.length; first += 59) {
      await Promise.all(keys.slice(first, first + 59).map((key) => openUpload(rig.store, key)));
    }
    const listed = await Array.fromAsync(rig.store.listUploads(BUCKET, "u/"));
    expect(listed.map((upload) => upload.key)).toEqual(keys);
    expect(new Set(listed.map((upload) => upload.uploadId)).size).toBe(keys.length);
    expect(rig.count("ListMultipartUploads")).toBe(2);
  });

  test("pages of parts that go in circles are found out, not followed", async () => {
    await using rig = await startRig();
    const upload = await openUpload(rig.store, "circle");
    const page = `<ListPartsResult><UploadId>${upload.uploadId}</UploadId><IsTruncated>true</IsTruncated><NextPartNumberMarker>7</NextPartNumberMarker></ListPartsResult>`;
    rig.faults.add({ operation: "ListParts", times: -1 }, xml(page));
    await expect(rig.store.listParts(upload)).rejects.toMatchObject({
      trouble: "rejected",
      code: "PagingStuck",
    });
    expect(rig.count("ListParts")).toBe(2);
  });

  test("pages of uploads that go in circles are found out, not followed", async () => {
    await using rig = await startRig();
    const page = `<ListMultipartUploadsResult><Bucket>${BUCKET}</Bucket><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>u</NextUploadIdMarker></ListMultipartUploadsResult>`;
    rig.faults.add({ operation: "ListMultipartUploads", times: -1 }, xml(page));
    const listed = Array.fromAsync(rig.store.listUploads(BUCKET, ""));
    await expect(listed).rejects.toMatchObject({ trouble: "rejected", code: "PagingStuck" });
    expect(rig.count("ListMultipartUploads")).toBe(2);
  });

  test("S29 a store that takes a prefix for a key is asked for everything, and nothing is told twice", async () => {
    await using rig = await startRig({
      quirks: { listUploadsExactKeyOnly: true },
      profile: { listsUploadsByPrefix: false },
    });
    await openUpload(rig.store, "a/1");
    await openUpload(rig.store, "a/2");
    await openUpload(rig.store, "b/1");
    const under = async (prefix: string) =>
      (await Array.fromAsync(rig.store.listUploads(BUCKET, prefix))).map((upload) => upload.key);
    expect(await under("a/")).toEqual(["a/1", "a/2"]);
    expect(await under("a/1")).toEqual(["a/1"]);
  });
});

describe("abort", () => {
  const ignored = { kind: "reply", reply: { status: 204 } } as const;

  test("S26 is repeated until the upload is gone", async () => {
    await using rig = await startRig();
    const { upload } = await uploadWithPart(rig.store, "a");
    rig.faults.add({ operation: "AbortMultipartUpload", times: 2 }, ignored);
    await rig.store.abort(upload);
    expect(rig.count("AbortMultipartUpload")).toBe(3);
    expect(await rig.store.listParts(upload)).toEqual({ kind: "gone" });
  });

  test("S26 gives up after five times, for the caller to come back", async () => {
    await using rig = await startRig();
    const { upload } = await uploadWithPart(rig.store, "a");
    rig.faults.add({ operation: "AbortMultipartUpload", times: -1 }, ignored);
    await expect(rig.store.abort(upload)).rejects.toMatchObject({
      trouble: "rejected",
      code: "AbortIncomplete",
    });
    expect(rig.count("AbortMultipartUpload")).toBe(5);
  });

  test("S17 an upload the store calls a missing key is gone", async () => {
    await using rig = await startRig({ quirks: { noSuchKeyForUpload: true } });
    const upload = { ...ref("a"), uploadId: "0".repeat(32) };
    await rig.store.abort(upload);
    expect(await rig.store.uploadPart(upload, 1, partRequest(PART))).toEqual({ kind: "gone" });
    expect(await rig.store.listParts(upload)).toEqual({ kind: "gone" });
  });
});

describe("an upload keeps the checksum it was created with", () => {
  test("S22 a part that arrives without it is still proven by the whole object's", async () => {
    await using rig = await startRig();
    const { upload, request } = await uploadWithPart(rig.store, "a");
    const wrong = rig.store.complete(upload, { ...request, crc: 1 });
    await expect(wrong).rejects.toMatchObject({ name: "StoreError" });
    expect((await rig.store.complete(upload, request)).kind).toBe("completed");
  });

  test("S23 a size that is not the object's is refused where the store looks at it", async () => {
    await using rig = await startRig();
    const { upload, request } = await uploadWithPart(rig.store, "a");
    const wrong = rig.store.complete(upload, { ...request, size: 1 });
    await expect(wrong).rejects.toMatchObject({ trouble: "rejected", code: "InvalidRequest" });
  });

  test("S8 one begun with part checksums is completed with them by a worker that prefers the whole object's", async () => {
    await using rig = await startRig({ profile: { checksum: "per-part" } });
    const { upload, request } = await uploadWithPart(rig.store, "a");
    const other = new S3ObjectStore(rig.connection, {
      profile: { ...AWS_LIKE, checksumsInComplete: false },
      prefix: "",
    });
    await other.listParts(upload);
    expect(await other.uploadPart(upload, 1, partRequest(PART))).toMatchObject({ kind: "stored" });
    expect((await other.complete(upload, request)).kind).toBe("completed");
  });

  test("one begun by another program without any is continued and completed", async () => {
    await using rig = await startRig();
    const command = new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: "old" });
    const { UploadId = "" } = await rig.connection.send(command);
    const upload = { ...ref("old"), uploadId: UploadId };
    await rig.store.listParts(upload);
    const sent = await rig.store.uploadPart(upload, 1, partRequest(PART));
    if (sent.kind !== "stored") throw new Error("gone");
    const request = {
      parts: [{ PartNumber: 1, ETag: sent.etag }],
      size: PART.length,
      crc: 1,
      condition: undefined,
    };
    expect((await rig.store.complete(upload, { ...request, crc: undefined })).kind).toBe("completed");
  });

  test("S21 a part refused for the kind of its checksum goes the other way at the next attempt", async () => {
    await using rig = await startRig();
    const upload = await openUpload(rig.store, "a");
    const message =
      "Checksum Type mismatch occurred, expected checksum Type: null, actual checksum Type: crc32";
    const reply = { status: 400, code: "InvalidRequest", message };
    rig.faults.add({ operation: "UploadPart" }, { kind: "reply", reply });
    await expect(rig.store.uploadPart(upload, 1, partRequest(PART))).rejects.toMatchObject({
      trouble: "rejected",
    });
    expect(await rig.store.uploadPart(upload, 1, partRequest(PART))).toMatchObject({ kind: "stored" });
  });
});

test("many readers take turns, and one that stops early gives its turn back", async () => {
  await using rig = await startRig();
  await rig.store.put(ref("big"), putRequest(Buffer.alloc(2_000_000, 7)));
  const reads = Array.from({ length: 12 }, async (_, n) => {
    for await (const chunk of rig.store.read(ref("big"))) if (n % 2 === 0) return chunk.length;
    return 0;
  });
  expect((await Promise.all(reads)).filter((bytes) => bytes > 0)).toHaveLength(6);
  expect((await rig.store.head(ref("big"))).kind).toBe("found");
});

describe("what an object bears", () => {
  const attributes = { storageClass: "STANDARD_IA", sse: "AES256", tags: { team: "a b", "x&y": "=" } };

  test("is the same by Put and by upload", async () => {
    await using rig = await startRig({ store: attributes });
    await rig.store.put(ref("put"), putRequest(PART));
    const { upload, request } = await uploadWithPart(rig.store, "upload");
    await rig.store.complete(upload, request);
    for (const key of ["put", "upload"]) {
      const place = { Bucket: BUCKET, Key: key };
      expect(await rig.connection.send(new HeadObjectCommand(place))).toMatchObject({
        ContentType: "video/mp4",
        StorageClass: "STANDARD_IA",
        ServerSideEncryption: "AES256",
        Metadata: { "sluice-stream-id": "01rig" },
      });
      const { TagSet } = await rig.connection.send(new GetObjectTaggingCommand(place));
      expect(TagSet).toEqual(
        expect.arrayContaining([
          { Key: "team", Value: "a b" },
          { Key: "x&y", Value: "=" },
        ]),
      );
    }
  });

  test("S39 user metadata that is not ASCII arrives percent-encoded", async () => {
    await using rig = await startRig();
    await rig.store.put(ref("a"), { ...putRequest(PART), metadata: { Note: "naïve", plain: "50% & more" } });
    expect(await rig.store.head(ref("a"))).toMatchObject({
      object: { metadata: { note: "na%C3%AFve", plain: "50% & more" } },
    });
  });
});

describe("a body from a file range", () => {
  const range = (bytes: number, open: () => AsyncIterable<Uint8Array>) => ({
    body: { kind: "range" as const, bytes, open },
    crc: 0x12345678,
  });

  test("that ends early fails as the file did, and nothing is stored", async () => {
    await using rig = await startRig();
    const upload = await openUpload(rig.store, "a");
    // oxlint-disable-next-line require-yield
    const broken = range(10, async function* () {
      throw new Error("the file is gone");
    });
    await expect(rig.store.uploadPart(upload, 1, broken)).rejects.toThrow("the file is gone");
    const short = range(10, async function* () {
      yield PART;
    });
    await expect(rig.store.uploadPart(upload, 1, short)).rejects.toThrow("as many bytes as were announced");
    expect(await rig.store.listParts(upload)).toEqual({ kind: "alive", parts: [] });
  });

  test("K2 is opened anew for each attempt, and hashed beforehand where payloads are signed", async () => {
    await using rig = await startRig({
      quirks: { refuseUnsignedPayload: true },
      profile: { unsignedPayload: false },
    });
    const upload = await openUpload(rig.store, "a");
    let opened = 0;
    const open = async function* () {
      opened += 1;
      yield PART;
    };
    const request = { ...partRequest(PART), body: { kind: "range" as const, bytes: PART.length, open } };
    expect(await rig.store.uploadPart(upload, 1, request)).toMatchObject({ kind: "stored" });
    expect(opened).toBe(2);
  });
});

describe("when the store will abort an upload", () => {
  const headers = { "content-type": "application/xml", "x-amz-abort-date": "Fri, 01 Jan 2027 00:00:00 GMT" };
  const answer = (body: string) => ({ kind: "reply", reply: { status: 200, body, headers } }) as const;
  const abortsAt = "2027-01-01T00:00:00.000Z";

  test("is read from the answer to CreateMultipartUpload, and from ListParts", async () => {
    await using rig = await startRig();
    const created = "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>";
    rig.faults.add({ operation: "CreateMultipartUpload" }, answer(created));
    expect(await rig.store.createUpload(ref("a"), HEADERS)).toEqual({ uploadId: "u1", abortsAt });
    const listed =
      "<ListPartsResult><UploadId>u1</UploadId><IsTruncated>false</IsTruncated></ListPartsResult>";
    rig.faults.add({ operation: "ListParts" }, answer(listed));
    expect(await rig.store.listParts({ ...ref("a"), uploadId: "u1" })).toEqual({
      kind: "alive",
      parts: [],
      abortsAt,
    });
  });

  test("is not said by a store that has no such rule", async () => {
    await using rig = await startRig();
    expect(Object.keys(await rig.store.createUpload(ref("a"), HEADERS))).toEqual(["uploadId"]);
  });
});
