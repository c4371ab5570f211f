/** Copies inside the store: the bytes, conditions and refusals of UploadPartCopy and CopyObject. */
import { expect, test } from "vitest";
import { crc32Base64, FULL_PART, md5Hex, MIB, multipartEtag } from "../bodies.ts";
import { type Answer, tag } from "../s3-client.ts";
import type { SuiteContext } from "../s3-suite.ts";
import { Upload } from "../uploads.ts";

const TAIL = Buffer.from("the tail");
const SOURCE = Buffer.concat([FULL_PART, TAIL]);
const FULL_OBJECT = { "x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "FULL_OBJECT" };

export function copyCases(suite: SuiteContext): void {
  const put = async (body: Buffer | string, headers: Record<string, string> = {}, key = suite.key()) => {
    const answer = await suite.s3.call({ method: "PUT", key, body, headers });
    return { key, etag: answer.headers["etag"] ?? "" };
  };
  const get = (key: string) => suite.s3.call({ method: "GET", key });
  const named = (key: string) =>
    `/${suite.s3.target.bucket}/${key.split("/").map(encodeURIComponent).join("/")}`;
  const copyPart = (upload: Upload, number: number, from: string, headers: Record<string, string> = {}) =>
    suite.s3.call({
      method: "PUT",
      key: upload.key,
      query: { partNumber: String(number), uploadId: upload.id },
      headers: { "x-amz-copy-source": named(from), ...headers },
    });
  const copy = (key: string, from: string, headers: Record<string, string> = {}) =>
    suite.s3.call({ method: "PUT", key, headers: { "x-amz-copy-source": named(from), ...headers } });
  const listed = (number: number, answer: Answer) => ({ number, etag: tag(answer.text, "ETag") });

  test("a range copied into an upload is a part with the MD5 of those bytes for its ETag", async () => {
    const source = await put(SOURCE);
    const upload = await Upload.create(suite.s3, suite.key());
    const range = { "x-amz-copy-source-range": `bytes=0-${5 * MIB - 1}` };
    const copied = await copyPart(upload, 1, source.key, range);
    expect([copied.status, tag(copied.text, "ETag")]).toEqual([200, `"${md5Hex(FULL_PART)}"`]);
    expect(Number.isNaN(Date.parse(tag(copied.text, "LastModified")))).toBe(false);
    const tail = await upload.part(2, "more");
    const done = await upload.complete([listed(1, copied), tail]);
    expect([done.status, tag(done.text, "ETag")]).toEqual([200, `"${multipartEtag([FULL_PART, "more"])}"`]);
    expect((await get(upload.key)).bytes.equals(Buffer.concat([FULL_PART, Buffer.from("more")]))).toBe(true);
  });

  test("a range that crosses the parts of its source is whole", async () => {
    const made = await Upload.create(suite.s3, suite.key());
    await made.complete([await made.part(1, FULL_PART), await made.part(2, TAIL)]);
    const upload = await Upload.create(suite.s3, suite.key());
    const range = { "x-amz-copy-source-range": `bytes=${5 * MIB - 3}-${5 * MIB + 2}` };
    await upload.complete([listed(1, await copyPart(upload, 1, made.key, range))]);
    const whole = (await get(upload.key)).bytes;
    expect(whole.equals(SOURCE.subarray(5 * MIB - 3, 5 * MIB + 3))).toBe(true);
  });

  test("an object extended under its own key stays as it was until Complete", async () => {
    const { key, etag } = await put(SOURCE);
    const upload = await Upload.create(suite.s3, key, FULL_OBJECT);
    const copied = await copyPart(upload, 1, key, { "x-amz-copy-source-if-match": etag });
    const tail = await upload.part(2, "more", { "x-amz-checksum-crc32": crc32Base64("more") });
    expect((await get(key)).bytes.equals(SOURCE)).toBe(true);
    const stale = await upload.complete([listed(1, copied), tail], { "if-match": '"other"' });
    expect([stale.status, stale.code]).toEqual([412, "PreconditionFailed"]);
    const whole = Buffer.concat([SOURCE, Buffer.from("more")]);
    const done = await upload.complete([listed(1, copied), tail], {
      "if-match": etag,
      "x-amz-checksum-crc32": crc32Base64(whole),
      "x-amz-checksum-type": "FULL_OBJECT",
    });
    expect(done.status).toBe(200);
    expect((await get(key)).bytes.equals(whole)).toBe(true);
  });

  test("a copied part bears the checksum of its upload, in the reply and in ListParts", async () => {
    const source = await put(SOURCE);
    const upload = await Upload.create(suite.s3, suite.key(), FULL_OBJECT);
    const copied = await copyPart(upload, 1, source.key);
    const crc = crc32Base64(SOURCE);
    expect(tag(copied.text, "ChecksumCRC32")).toBe(crc);
    expect(tag((await upload.list()).text, "ChecksumCRC32")).toBe(crc);
  });

  test("a small copied part that is not the last is an EntityTooSmall", async () => {
    const source = await put("small");
    const upload = await Upload.create(suite.s3, suite.key());
    const small = listed(1, await copyPart(upload, 1, source.key));
    const answer = await upload.complete([small, await upload.part(2, "x")]);
    expect([answer.status, answer.code]).toEqual([400, "EntityTooSmall"]);
    expect((await upload.complete([small])).status).toBe(200);
  });

  test.each([
    ["another ETag", "if-match", '"another"', 412],
    ["the ETag that must not be", "if-none-match", "its own", 412],
    ["a change since", "if-unmodified-since", new Date(0).toUTCString(), 412],
    ["no change since", "if-modified-since", new Date(Date.now() + 3_600_000).toUTCString(), 412],
    ["its ETag", "if-match", "its own", 200],
    ["any ETag but its own", "if-none-match", '"another"', 200],
    ["a change since the epoch", "if-modified-since", new Date(0).toUTCString(), 200],
  ])("a copy of %s (%s) is decided by its source", async (_what, condition, value, status) => {
    const source = await put(SOURCE);
    const upload = await Upload.create(suite.s3, suite.key());
    const headers = { [`x-amz-copy-source-${condition}`]: value === "its own" ? source.etag : value };
    const part = await copyPart(upload, 1, source.key, headers);
    const object = await copy(suite.key(), source.key, headers);
    expect([part.status, object.status]).toEqual([status, status]);
    if (status === 412)
      expect([part.code, object.code]).toEqual(["PreconditionFailed", "PreconditionFailed"]);
  });

  test("an ETag that matches overrules the date", async () => {
    const source = await put(SOURCE);
    const upload = await Upload.create(suite.s3, suite.key());
    const both = {
      "x-amz-copy-source-if-match": source.etag,
      "x-amz-copy-source-if-unmodified-since": new Date(0).toUTCString(),
    };
    expect((await copyPart(upload, 1, source.key, both)).status).toBe(200);
  });

  test.each([
    ["past the end", `bytes=0-${SOURCE.length}`],
    ["without an end", "bytes=5-"],
    ["of the last bytes", "bytes=-5"],
    ["backwards", "bytes=9-5"],
    ["of words", "bytes=a-b"],
    ["without a unit", "0-4"],
  ])("a range %s is an InvalidArgument", async (_what, range) => {
    const source = await put(SOURCE);
    const upload = await Upload.create(suite.s3, suite.key());
    const answer = await copyPart(upload, 1, source.key, { "x-amz-copy-source-range": range });
    expect([answer.status, answer.code]).toEqual([400, "InvalidArgument"]);
    expect((await upload.list()).text).not.toContain("<Part>");
  });

  test("of an object of 5 MiB and less no range is copied, but the whole", async () => {
    const source = await put(FULL_PART);
    const upload = await Upload.create(suite.s3, suite.key());
    const range = { "x-amz-copy-source-range": "bytes=0-9" };
    const answer = await copyPart(upload, 1, source.key, range);
    expect([answer.status, answer.code]).toEqual([400, "InvalidRequest"]);
    expect((await copyPart(upload, 1, source.key)).status).toBe(200);
  });

  test("what is missing is named: the source, its bucket, the upload", async () => {
    const source = await put(SOURCE);
    const upload = await Upload.create(suite.s3, suite.key());
    const elsewhere = { "x-amz-copy-source": "/no-such-bucket-0/key" };
    const answers = [
      await copyPart(upload, 1, suite.key("missing")),
      await copyPart(upload, 1, source.key, elsewhere),
      await copyPart(upload, 1, source.key, { "x-amz-copy-source": "nothing" }),
    ];
    await upload.abort();
    answers.push(await copyPart(upload, 1, source.key));
    expect(answers.map((answer) => answer.code)).toEqual([
      "NoSuchKey",
      "NoSuchBucket",
      "InvalidArgument",
      "NoSuchUpload",
    ]);
  });

  test("CopyObject takes bytes, type, metadata and tags along, and gives the copy one MD5", async () => {
    const made = await Upload.create(suite.s3, suite.key("ünïcödé +&.bin"), {
      "content-type": "video/mp4",
      "x-amz-meta-stream": "01ABC",
      "x-amz-tagging": "a=b",
    });
    await made.complete([await made.part(1, FULL_PART), await made.part(2, TAIL)]);
    const key = suite.key();
    const answer = await copy(key, made.key);
    expect([answer.status, tag(answer.text, "ETag")]).toEqual([200, `"${md5Hex(SOURCE)}"`]);
    const object = await get(key);
    expect(object.bytes.equals(SOURCE)).toBe(true);
    expect(object.headers).toMatchObject({
      "content-type": "video/mp4",
      "x-amz-meta-stream": "01ABC",
      "x-amz-tagging-count": "1",
    });
  });

  test("with REPLACE the copy bears what the request says, and nothing else", async () => {
    const source = await put("x", { "content-type": "video/mp4", "x-amz-meta-old": "1" });
    const key = suite.key();
    await copy(key, source.key, {
      "x-amz-metadata-directive": "REPLACE",
      "content-type": "text/plain",
      "x-amz-meta-new": "2",
    });
    const { headers } = await get(key);
    expect(headers).toMatchObject({ "content-type": "text/plain", "x-amz-meta-new": "2" });
    expect(headers["x-amz-meta-old"]).toBeUndefined();
  });

  test("an object copied to itself must change, and may", async () => {
    const { key } = await put("x", { "x-amz-meta-old": "1" });
    const idle = await copy(key, key);
    expect([idle.status, idle.code]).toEqual([400, "InvalidRequest"]);
    const changed = { "x-amz-metadata-directive": "REPLACE", "x-amz-meta-new": "2" };
    expect((await copy(key, key, changed)).status).toBe(200);
    expect((await get(key)).headers["x-amz-meta-new"]).toBe("2");
  });

  test("an unknown directive is an InvalidArgument", async () => {
    const { key } = await put("x");
    const answer = await copy(suite.key(), key, { "x-amz-metadata-directive": "MERGE" });
    expect([answer.status, answer.code]).toEqual([400, "InvalidArgument"]);
  });

  test("If-None-Match: * on CopyObject keeps an object that is there", async () => {
    const [source, there] = [await put("x"), await put("there")];
    const answer = await copy(there.key, source.key, { "if-none-match": "*" });
    expect([answer.status, answer.code]).toEqual([412, "PreconditionFailed"]);
    expect((await get(there.key)).text).toBe("there");
  });
}
