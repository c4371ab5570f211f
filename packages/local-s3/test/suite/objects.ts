/** Single objects: bytes, headers, ranges, conditions and keys come back as they were given. */
import { expect, test } from "vitest";
import { crc32Base64, md5Base64, md5Hex, MIB, multipartEtag } from "../bodies.ts";
import { tag, tags } from "../s3-client.ts";
import type { SuiteContext } from "../s3-suite.ts";
import { Upload } from "../uploads.ts";

export function objectCases(suite: SuiteContext): void {
  const put = (key: string, body: string | Buffer, headers: Record<string, string> = {}) =>
    suite.s3.call({ method: "PUT", key, body, headers });
  const get = (key: string, headers: Record<string, string> = {}) =>
    suite.s3.call({ method: "GET", key, headers });

  test("an object's bytes, type and metadata come back unchanged, and its ETag is its MD5", async () => {
    const key = suite.key();
    const stored = await put(key, "hello", {
      "content-type": "text/plain",
      "x-amz-meta-stream-id": "01ABC",
      "cache-control": "no-store",
    });
    expect([stored.status, stored.headers["etag"]]).toEqual([200, `"${md5Hex("hello")}"`]);
    const answer = await get(key);
    expect([answer.status, answer.text]).toEqual([200, "hello"]);
    expect(answer.headers).toMatchObject({
      etag: `"${md5Hex("hello")}"`,
      "content-type": "text/plain",
      "content-length": "5",
      "x-amz-meta-stream-id": "01ABC",
      "cache-control": "no-store",
      "accept-ranges": "bytes",
    });
    const head = await suite.s3.call({ method: "HEAD", key });
    expect([head.status, head.headers["content-length"], head.bytes.length]).toEqual([200, "5", 0]);
  });

  test("the attributes that are asked for are told, and no others", async () => {
    const upload = await Upload.create(suite.s3, suite.key(), {
      "x-amz-checksum-algorithm": "CRC32",
      "x-amz-checksum-type": "FULL_OBJECT",
    });
    await upload.complete([await upload.part(1, "x", { "x-amz-checksum-crc32": crc32Base64("x") })]);
    const ask = (names?: string) =>
      suite.s3.call({
        method: "GET",
        key: upload.key,
        query: { attributes: "" },
        headers: names === undefined ? {} : { "x-amz-object-attributes": names },
      });
    const { text } = await ask("ETag,Checksum, ObjectParts,ObjectSize");
    expect([tag(text, "ETag"), tag(text, "ObjectSize"), tag(text, "PartsCount")]).toEqual([
      multipartEtag(["x"]),
      "1",
      "1",
    ]);
    expect(tags(text, "ChecksumCRC32")).toEqual([crc32Base64("x"), crc32Base64("x")]);
    expect(text).not.toContain("StorageClass");
    expect([(await ask()).code, (await ask("Colour")).code]).toEqual(["InvalidRequest", "InvalidArgument"]);
  });

  test("of many deletions each with an ETag is done only where that stands", async () => {
    const [mine, theirs, missing] = [suite.key(), suite.key(), suite.key()];
    await put(mine, "mine");
    await put(theirs, "theirs");
    const line = (key: string, etag: string) => `<Object><Key>${key}</Key><ETag>${etag}</ETag></Object>`;
    const body = `<Delete>${line(mine, md5Hex("mine"))}${line(theirs, md5Hex("mine"))}${line(missing, md5Hex("mine"))}</Delete>`;
    const headers = { "content-md5": md5Base64(body) };
    const answer = await suite.s3.call({ method: "POST", query: { delete: "" }, body, headers });
    expect(tags(answer.text, "Code")).toEqual(["PreconditionFailed", "NoSuchKey"]);
    expect([(await get(mine)).status, (await get(theirs)).text]).toEqual([404, "theirs"]);
  });

  test("an empty object is an object", async () => {
    const key = suite.key();
    expect((await put(key, "")).headers["etag"]).toBe(`"${md5Hex("")}"`);
    expect((await get(key)).headers["content-length"]).toBe("0");
  });

  test("an object of several MiB comes back byte for byte", async () => {
    const key = suite.key();
    const body = Buffer.alloc(3 * MIB + 17, "0123456789abcdefg");
    await put(key, body);
    expect((await get(key)).bytes.equals(body)).toBe(true);
  });

  test.each([
    "a//b",
    "..",
    "../up",
    "./here",
    "new\nline",
    "tab\tand\u0001control",
    "ünïcödé 🎬",
    '100%+plus & <xml> "quoted"',
    "~-_.!*'()",
    "trailing/",
  ])("the key %j is a key like any other", async (name) => {
    const key = suite.key(name);
    expect((await put(key, name)).status).toBe(200);
    expect((await get(key)).text).toBe(name);
    const prefix = key.slice(0, key.length - name.length);
    const listing = await suite.s3.call({
      method: "GET",
      query: { "list-type": "2", prefix, "encoding-type": "url" },
    });
    expect(tags(listing.text, "Key").map((one) => decodeURIComponent(one.replaceAll("+", "%20")))).toEqual([
      key,
    ]);
  });

  test("a key may have 1,024 bytes and no more", async () => {
    const start = suite.key("");
    expect((await put(start.padEnd(1_024, "k"), "x")).status).toBe(200);
    const answer = await put(start.padEnd(1_025, "k"), "x");
    expect([answer.status, answer.code]).toEqual([400, "KeyTooLongError"]);
  });

  test.each([
    ["bytes=2-4", "bytes 2-4/10", "234"],
    ["bytes=7-", "bytes 7-9/10", "789"],
    ["bytes=-3", "bytes 7-9/10", "789"],
    ["bytes=8-100", "bytes 8-9/10", "89"],
    ["bytes=-100", "bytes 0-9/10", "0123456789"],
  ])("the range %s gives %s", async (range, contentRange, body) => {
    const key = suite.key();
    await put(key, "0123456789");
    const answer = await get(key, { range });
    expect([answer.status, answer.headers["content-range"], answer.text]).toEqual([206, contentRange, body]);
  });

  test("a range past the end is not satisfiable", async () => {
    const key = suite.key();
    await put(key, "0123456789");
    const answer = await get(key, { range: "bytes=10-" });
    expect([answer.status, answer.code]).toEqual([416, "InvalidRange"]);
  });

  test("what is not there is a 404 with the right name", async () => {
    const answer = await get(suite.key());
    expect([answer.status, answer.code]).toEqual([404, "NoSuchKey"]);
    const head = await suite.s3.call({ method: "HEAD", key: suite.key() });
    expect([head.status, head.bytes.length]).toEqual([404, 0]);
    const bucket = await suite.s3.call({
      method: "GET",
      bucket: "no-such-bucket-0f3c9a",
      query: { "list-type": "2" },
    });
    expect([bucket.status, bucket.code]).toEqual([404, "NoSuchBucket"]);
  });

  test("deleting is done once and may be repeated", async () => {
    const key = suite.key();
    await put(key, "x");
    expect((await suite.s3.call({ method: "DELETE", key })).status).toBe(204);
    expect((await get(key)).status).toBe(404);
    expect((await suite.s3.call({ method: "DELETE", key })).status).toBe(204);
  });

  test("many keys are deleted in one call, whatever is in their names", async () => {
    const keys = [suite.key("a&b<c>"), suite.key(" spaces "), suite.key("never was")];
    await put(keys[0] ?? "", "x");
    await put(keys[1] ?? "", "x");
    const escaped = keys.map((key) =>
      key.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"),
    );
    const body = `<Delete>${escaped.map((key) => `<Object><Key>${key}</Key></Object>`).join("")}</Delete>`;
    const answer = await suite.s3.call({
      method: "POST",
      query: { delete: "" },
      body,
      headers: { "content-md5": md5Base64(body) },
    });
    expect([answer.status, tags(answer.text, "Key").length]).toEqual([200, 3]);
    for (const key of keys) expect((await get(key)).status).toBe(404);
  });

  test("If-None-Match: * creates and never overwrites", async () => {
    const key = suite.key();
    expect((await put(key, "first", { "if-none-match": "*" })).status).toBe(200);
    const answer = await put(key, "second", { "if-none-match": "*" });
    expect([answer.status, answer.code]).toEqual([412, "PreconditionFailed"]);
    expect((await get(key)).text).toBe("first");
  });

  test("If-Match overwrites only what it names", async () => {
    const key = suite.key();
    const missing = await put(key, "x", { "if-match": '"abc"' });
    expect([missing.status, missing.code]).toEqual([404, "NoSuchKey"]);
    const first = await put(key, "first");
    const wrong = await put(key, "second", { "if-match": `"${md5Hex("else")}"` });
    expect([wrong.status, wrong.code]).toEqual([412, "PreconditionFailed"]);
    expect((await put(key, "second", { "if-match": first.headers["etag"] ?? "" })).status).toBe(200);
    expect((await get(key)).text).toBe("second");
  });

  test("reads honour If-Match and If-None-Match", async () => {
    const key = suite.key();
    const { headers } = await put(key, "x");
    expect((await get(key, { "if-match": '"other"' })).code).toBe("PreconditionFailed");
    expect((await get(key, { "if-none-match": headers["etag"] ?? "" })).status).toBe(304);
    expect((await get(key, { "if-none-match": '"other"' })).status).toBe(200);
  });

  test("storage class and encryption are echoed, tags are kept", async () => {
    const key = suite.key();
    const headers = {
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-server-side-encryption": "AES256",
      "x-amz-tagging": "team=av&kind=raw%20file",
    };
    expect((await put(key, "x", headers)).headers["x-amz-server-side-encryption"]).toBe("AES256");
    const head = await suite.s3.call({ method: "HEAD", key });
    expect(head.headers).toMatchObject({
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-server-side-encryption": "AES256",
    });
    const tagging = await suite.s3.call({ method: "GET", key, query: { tagging: "" } });
    expect([tags(tagging.text, "Key"), tags(tagging.text, "Value")]).toEqual([
      ["team", "kind"],
      ["av", "raw file"],
    ]);
  });

  test.each([
    ["an unknown storage class", { "x-amz-storage-class": "COLD" }, "InvalidStorageClass"],
    ["metadata over 2 KB", { "x-amz-meta-long": "m".repeat(2_100) }, "MetadataTooLarge"],
    ["a malformed Content-MD5", { "content-md5": "zzzz" }, "InvalidDigest"],
    ["a wrong Content-MD5", { "content-md5": md5Base64("other") }, "BadDigest"],
  ])("%s is refused and nothing is stored", async (_what, headers, code) => {
    const key = suite.key();
    const answer = await put(key, "x", headers);
    expect([answer.status, answer.code]).toEqual([400, code]);
    expect((await get(key)).status).toBe(404);
  });

  test("a wrong Content-MD5 leaves the earlier object as it was", async () => {
    const key = suite.key();
    await put(key, "first");
    expect((await put(key, "second", { "content-md5": md5Base64("other") })).code).toBe("BadDigest");
    expect((await get(key)).text).toBe("first");
  });

  test("bucket calls: location, head, lifecycle that is not there", async () => {
    const { s3 } = suite;
    expect((await s3.call({ method: "HEAD" })).status).toBe(200);
    expect((await s3.call({ method: "GET", query: { location: "" } })).status).toBe(200);
    expect((await s3.call({ method: "HEAD", bucket: "no-such-bucket-0f3c9a" })).status).toBe(404);
    const buckets = await s3.call({ method: "GET", bucket: "" });
    expect(tags(buckets.text, "Name")).toContain(s3.target.bucket);
    expect(tag(buckets.text, "CreationDate")).toMatch(/^\d{4}-\d\d-\d\dT/);
  });
}
