/** Complete: what it refuses leaves the upload as it was; what it accepts is one object, and saying so again is harmless. */
import { expect, test } from "vitest";
import { crc32Base64, FULL_PART, md5Hex, MIB, multipartEtag, OTHER_PART } from "../bodies.ts";
import { type Answer, tag, tags } from "../s3-client.ts";
import type { SuiteContext } from "../s3-suite.ts";
import { Upload } from "../uploads.ts";

const TAIL = Buffer.from("the tail");
const WHOLE = Buffer.concat([FULL_PART, TAIL]);
const FULL_OBJECT = { "x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "FULL_OBJECT" };

export function completionCases(suite: SuiteContext): void {
  const create = (headers: Record<string, string> = {}): Promise<Upload> =>
    Upload.create(suite.s3, suite.key(), headers);
  const get = (key: string): Promise<Answer> => suite.s3.call({ method: "GET", key });
  const isOpen = async (upload: Upload): Promise<boolean> => (await upload.list()).status === 200;

  test("parts become one object with S3's ETag, Create's metadata and no upload left", async () => {
    const upload = await create({ "x-amz-meta-stream": "01ABC", "content-type": "video/mp4" });
    const parts = [await upload.part(1, FULL_PART), await upload.part(2, TAIL)];
    const answer = await upload.complete(parts);
    const etag = `"${multipartEtag([FULL_PART, TAIL])}"`;
    expect([answer.status, tag(answer.text, "ETag"), tag(answer.text, "Key")]).toEqual([
      200,
      etag,
      upload.key,
    ]);
    const object = await get(upload.key);
    expect(object.bytes.equals(WHOLE)).toBe(true);
    expect(object.headers).toMatchObject({ etag, "x-amz-meta-stream": "01ABC", "content-type": "video/mp4" });
    expect(await isOpen(upload)).toBe(false);
  });

  test("a range across the border of two parts is whole", async () => {
    const upload = await create();
    await upload.complete([await upload.part(1, FULL_PART), await upload.part(2, TAIL)]);
    const range = `bytes=${5 * MIB - 3}-${5 * MIB + 2}`;
    const answer = await suite.s3.call({ method: "GET", key: upload.key, headers: { range } });
    expect([answer.status, answer.bytes.equals(WHOLE.subarray(5 * MIB - 3, 5 * MIB + 3))]).toEqual([
      206,
      true,
    ]);
  });

  test("the last part that finished counts", async () => {
    const upload = await create();
    const stale = await upload.part(1, "first");
    const fresh = await upload.part(1, "second");
    const refused = await upload.complete([stale]);
    expect([refused.status, refused.code]).toEqual([400, "InvalidPart"]);
    expect((await upload.complete([fresh])).status).toBe(200);
    expect((await get(upload.key)).text).toBe("second");
  });

  test("a part that was never uploaded is an InvalidPart, and the upload stays", async () => {
    const upload = await create();
    const part = await upload.part(1, FULL_PART);
    const answer = await upload.complete([part, { number: 2, etag: md5Hex("x") }]);
    expect([answer.status, answer.code]).toEqual([400, "InvalidPart"]);
    expect(await isOpen(upload)).toBe(true);
  });

  test("parts out of order or listed twice are an InvalidPartOrder", async () => {
    const upload = await create();
    const [one, two] = [await upload.part(1, FULL_PART), await upload.part(2, TAIL)];
    expect((await upload.complete([two, one])).code).toBe("InvalidPartOrder");
    expect((await upload.complete([one, one])).code).toBe("InvalidPartOrder");
  });

  test("a part under 5 MiB that is not the last is an EntityTooSmall, and the upload can be mended", async () => {
    const upload = await create();
    const parts = [await upload.part(1, FULL_PART.subarray(1)), await upload.part(2, TAIL)];
    const answer = await upload.complete(parts);
    expect([answer.status, answer.code]).toEqual([400, "EntityTooSmall"]);
    const mended = await upload.part(1, FULL_PART);
    expect((await upload.complete([mended, ...parts.slice(1)])).status).toBe(200);
  });

  test.each([
    ["no part", "<CompleteMultipartUpload></CompleteMultipartUpload>"],
    ["broken XML", "<CompleteMultipartUpload><Part>"],
    ["another document", "<Delete></Delete>"],
    [
      "a part without an ETag",
      "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
    ],
  ])("%s is a MalformedXML", async (_what, body) => {
    const upload = await create();
    await upload.part(1, "x");
    const answer = await upload.completeWith(body);
    expect([answer.status, answer.code]).toEqual([400, "MalformedXML"]);
  });

  test("part numbers may have gaps, and parts not listed are dropped", async () => {
    const upload = await create();
    const listed = [await upload.part(2, FULL_PART), await upload.part(9, TAIL)];
    await upload.part(5, "dropped");
    expect((await upload.complete(listed)).status).toBe(200);
    expect((await get(upload.key)).bytes.equals(WHOLE)).toBe(true);
  });

  test("one empty part makes an empty object", async () => {
    const upload = await create();
    expect((await upload.complete([await upload.part(1, "")])).status).toBe(200);
    expect((await get(upload.key)).headers["content-length"]).toBe("0");
  });

  test("ETags may be listed with or without quotes", async () => {
    const upload = await create();
    const part = await upload.part(1, "x");
    expect((await upload.complete([{ number: 1, etag: part.etag.replaceAll('"', "") }])).status).toBe(200);
  });

  test("a finished Complete says the same again while its object is there", async () => {
    const upload = await create();
    const parts = [await upload.part(1, "x")];
    const [first, again] = [await upload.complete(parts), await upload.complete(parts)];
    expect([again.status, tag(again.text, "ETag")]).toEqual([200, tag(first.text, "ETag")]);
  });

  test("after its object was replaced, a repeated Complete finds no upload and changes nothing", async () => {
    const upload = await create();
    const parts = [await upload.part(1, "x")];
    await upload.complete(parts);
    await suite.s3.call({ method: "PUT", key: upload.key, body: "newer" });
    const answer = await upload.complete(parts);
    expect([answer.status, answer.code]).toEqual([404, "NoSuchUpload"]);
    expect((await get(upload.key)).text).toBe("newer");
  });

  test("an abort after Complete finds no upload and the object survives", async () => {
    const upload = await create();
    await upload.complete([await upload.part(1, "x")]);
    expect((await upload.abort()).code).toBe("NoSuchUpload");
    expect((await get(upload.key)).text).toBe("x");
  });

  test("of two uploads of one key the last Complete wins", async () => {
    const first = await create();
    const second = await Upload.create(suite.s3, first.key);
    const [a, b] = [await first.part(1, "first"), await second.part(1, "second")];
    await second.complete([b]);
    await first.complete([a]);
    expect((await get(first.key)).text).toBe("first");
  });

  test("a wrong x-amz-mp-object-size is an invalid request, the right one is fine", async () => {
    const upload = await create();
    const parts = [await upload.part(1, "12345")];
    const answer = await upload.complete(parts, { "x-amz-mp-object-size": "6" });
    expect([answer.status, answer.code]).toEqual([400, "InvalidRequest"]);
    expect((await upload.complete(parts, { "x-amz-mp-object-size": "5" })).status).toBe(200);
  });

  test("If-None-Match: * on Complete keeps an object that is there, and the upload", async () => {
    const upload = await create();
    const parts = [await upload.part(1, "mine")];
    await suite.s3.call({ method: "PUT", key: upload.key, body: "theirs" });
    const answer = await upload.complete(parts, { "if-none-match": "*" });
    expect([answer.status, answer.code]).toEqual([412, "PreconditionFailed"]);
    expect((await get(upload.key)).text).toBe("theirs");
    await suite.s3.call({ method: "DELETE", key: upload.key });
    expect((await upload.complete(parts, { "if-none-match": "*" })).status).toBe(200);
  });

  test("If-Match on Complete replaces only what it names", async () => {
    const upload = await create();
    const parts = [await upload.part(1, "new")];
    const missing = await upload.complete(parts, { "if-match": `"${md5Hex("old")}"` });
    expect([missing.status, missing.code]).toEqual([404, "NoSuchKey"]);
    await suite.s3.call({ method: "PUT", key: upload.key, body: "old" });
    expect((await upload.complete(parts, { "if-match": `"${md5Hex("else")}"` })).code).toBe(
      "PreconditionFailed",
    );
    expect((await upload.complete(parts, { "if-match": `"${md5Hex("old")}"` })).status).toBe(200);
  });

  test("a full-object CRC32 is the whole object's, and a wrong one is a BadDigest", async () => {
    const upload = await create(FULL_OBJECT);
    const put = (number: number, body: Buffer) =>
      upload.part(number, body, { "x-amz-checksum-crc32": crc32Base64(body) });
    const parts = [await put(1, FULL_PART), await put(2, OTHER_PART), await put(3, TAIL)];
    const whole = crc32Base64(Buffer.concat([FULL_PART, OTHER_PART, TAIL]));
    const type = { "x-amz-checksum-type": "FULL_OBJECT" };
    const wrong = await upload.complete(parts, { "x-amz-checksum-crc32": crc32Base64(WHOLE), ...type });
    expect([wrong.status, wrong.code]).toEqual([400, "BadDigest"]);
    const right = await upload.complete(parts, { "x-amz-checksum-crc32": whole, ...type });
    expect([right.status, tag(right.text, "ChecksumCRC32"), tag(right.text, "ChecksumType")]).toEqual([
      200,
      whole,
      "FULL_OBJECT",
    ]);
    const head = await suite.s3.call({
      method: "HEAD",
      key: upload.key,
      headers: { "x-amz-checksum-mode": "ENABLED" },
    });
    expect([head.headers["x-amz-checksum-crc32"], head.headers["x-amz-checksum-type"]]).toEqual([
      whole,
      "FULL_OBJECT",
    ]);
  });

  test("a listed part checksum is compared", async () => {
    const upload = await create(FULL_OBJECT);
    const part = await upload.part(1, "x", { "x-amz-checksum-crc32": crc32Base64("x") });
    const wrong = await upload.complete([{ ...part, more: { ChecksumCRC32: crc32Base64("y") } }]);
    expect([wrong.status, wrong.code]).toEqual([400, "InvalidPart"]);
    expect((await upload.complete([{ ...part, more: { ChecksumCRC32: crc32Base64("x") } }])).status).toBe(
      200,
    );
  });

  test("a composite upload wants every part's checksum and numbers without gaps, and its checksum ends in -N", async () => {
    const upload = await create({ "x-amz-checksum-algorithm": "CRC32" });
    const put = async (number: number, body: Buffer) => {
      const value = crc32Base64(body);
      return {
        ...(await upload.part(number, body, { "x-amz-checksum-crc32": value })),
        more: { ChecksumCRC32: value },
      };
    };
    const [one, two, gap] = [await put(1, FULL_PART), await put(2, TAIL), await put(3, TAIL)];
    expect((await upload.complete([{ number: one.number, etag: one.etag }, two])).code).toBe(
      "InvalidRequest",
    );
    expect((await upload.complete([one, gap])).code).toBe("InvalidPartOrder");
    const done = await upload.complete([one, two]);
    const sums = Buffer.concat([FULL_PART, TAIL].map((body) => Buffer.from(crc32Base64(body), "base64")));
    expect([done.status, tags(done.text, "ChecksumCRC32")]).toEqual([200, [`${crc32Base64(sums)}-2`]]);
  });
}
