/** Open uploads: parts are taken, replaced, listed in pages and gone with an abort. */
import { expect, test } from "vitest";
import { crc32Base64, md5Base64, md5Hex } from "../bodies.ts";
import { tag, tags } from "../s3-client.ts";
import type { SuiteContext } from "../s3-suite.ts";
import { Upload } from "../uploads.ts";

export function multipartCases(suite: SuiteContext): void {
  const create = (headers: Record<string, string> = {}, key = suite.key()): Promise<Upload> =>
    Upload.create(suite.s3, key, headers);

  test("a part's ETag is its MD5, and ListParts shows number, size, ETag and time", async () => {
    const upload = await create();
    expect((await upload.part(1, "first")).etag).toBe(`"${md5Hex("first")}"`);
    const { text } = await upload.list();
    expect([tag(text, "PartNumber"), tag(text, "Size"), tag(text, "ETag")]).toEqual([
      "1",
      "5",
      `"${md5Hex("first")}"`,
    ]);
    expect(Math.abs(Date.parse(tag(text, "LastModified")) - Date.now())).toBeLessThan(60_000);
  });

  test("ListParts pages by part number", async () => {
    const upload = await create();
    for (const number of [7, 3, 10_000, 1]) await upload.part(number, `part ${number}`);
    const first = await upload.list({ "max-parts": "3" });
    expect([
      tags(first.text, "PartNumber"),
      tag(first.text, "IsTruncated"),
      tag(first.text, "NextPartNumberMarker"),
    ]).toEqual([["1", "3", "7"], "true", "7"]);
    const second = await upload.list({ "part-number-marker": "7" });
    expect([tags(second.text, "PartNumber"), tag(second.text, "IsTruncated")]).toEqual([["10000"], "false"]);
  });

  test("a part sent again takes the place of the first", async () => {
    const upload = await create();
    await upload.part(1, "old");
    const again = await upload.part(1, "newer");
    const { text } = await upload.list();
    expect([tags(text, "ETag"), tags(text, "Size")]).toEqual([[again.etag], ["5"]]);
  });

  test.each(["0", "10001", "-1", "one"])("part number %s is refused", async (partNumber) => {
    const { key, id } = await create();
    const answer = await suite.s3.call({
      method: "PUT",
      key,
      query: { partNumber, uploadId: id },
      body: "x",
    });
    expect([answer.status, answer.code]).toEqual([400, "InvalidArgument"]);
  });

  test.each([
    ["Content-MD5", { "content-md5": md5Base64("other") }],
    ["CRC32", { "x-amz-checksum-crc32": crc32Base64("other") }],
  ])("a part whose %s is wrong is a BadDigest and is not listed", async (_what, headers) => {
    const upload = await create({ "x-amz-checksum-algorithm": "CRC32" });
    const both =
      "content-md5" in headers ? { "x-amz-checksum-crc32": crc32Base64("body"), ...headers } : headers;
    const answer = await upload.put(1, "body", both);
    expect([answer.status, answer.code]).toEqual([400, "BadDigest"]);
    expect(tags((await upload.list()).text, "PartNumber")).toEqual([]);
  });

  test("a part's checksum is kept and listed", async () => {
    const upload = await create({
      "x-amz-checksum-algorithm": "CRC32",
      "x-amz-checksum-type": "FULL_OBJECT",
    });
    await upload.part(1, "body", { "x-amz-checksum-crc32": crc32Base64("body") });
    const { text } = await upload.list();
    expect([tag(text, "ChecksumCRC32"), tag(text, "ChecksumAlgorithm"), tag(text, "ChecksumType")]).toEqual([
      crc32Base64("body"),
      "CRC32",
      "FULL_OBJECT",
    ]);
  });

  test("a part with another algorithm than its upload's is refused", async () => {
    const upload = await create({ "x-amz-checksum-algorithm": "SHA256" });
    const answer = await upload.put(1, "body", { "x-amz-checksum-crc32": crc32Base64("body") });
    expect([answer.status, answer.code]).toEqual([400, "InvalidRequest"]);
  });

  test.each([
    ["a type without an algorithm", { "x-amz-checksum-type": "FULL_OBJECT" }],
    ["a full-object SHA256", { "x-amz-checksum-algorithm": "SHA256", "x-amz-checksum-type": "FULL_OBJECT" }],
    [
      "a composite CRC64NVME",
      { "x-amz-checksum-algorithm": "CRC64NVME", "x-amz-checksum-type": "COMPOSITE" },
    ],
    ["an unknown algorithm", { "x-amz-checksum-algorithm": "ADLER" }],
  ])("Create refuses %s", async (_what, headers) => {
    const answer = await suite.s3.call({ method: "POST", key: suite.key(), query: { uploads: "" }, headers });
    expect([answer.status, answer.code]).toEqual([400, "InvalidRequest"]);
  });

  test("an aborted upload is gone for every call", async () => {
    const upload = await create();
    const part = await upload.part(1, "x");
    expect((await upload.abort()).status).toBe(204);
    const answers = [
      await upload.put(2, "y"),
      await upload.list(),
      await upload.complete([part]),
      await upload.abort(),
    ];
    expect(answers.map((answer) => [answer.status, answer.code])).toEqual(
      answers.map(() => [404, "NoSuchUpload"]),
    );
  });

  test("an upload belongs to its key", async () => {
    const upload = await create();
    const query = { partNumber: "1", uploadId: upload.id };
    const answer = await suite.s3.call({ method: "PUT", key: `${upload.key}-other`, query, body: "x" });
    expect([answer.status, answer.code]).toEqual([404, "NoSuchUpload"]);
  });

  test("open uploads are listed by key, then by age, in pages that join", async () => {
    const prefix = suite.key("");
    const keys = [`${prefix}a`, `${prefix}b`, `${prefix}b`, `${prefix}b`, `${prefix}dir/c`];
    const uploads: Upload[] = [];
    for (const key of keys) uploads.push(await create({}, key));
    const seen: string[] = [];
    let marker: Record<string, string> = {};
    for (;;) {
      const { text } = await suite.s3.call({
        method: "GET",
        query: { uploads: "", prefix, "max-uploads": "2", ...marker },
      });
      seen.push(...tags(text, "UploadId"));
      if (tag(text, "IsTruncated") !== "true") break;
      marker = {
        "key-marker": tag(text, "NextKeyMarker"),
        "upload-id-marker": tag(text, "NextUploadIdMarker"),
      };
    }
    expect(seen).toEqual(uploads.map((upload) => upload.id));
    const { text } = await suite.s3.call({ method: "GET", query: { uploads: "", prefix, delimiter: "/" } });
    expect([
      tags(text, "UploadId").length,
      text.includes(`<CommonPrefixes><Prefix>${prefix}dir/</Prefix>`),
    ]).toEqual([4, true]);
  });

  test("an upload in the making is not an object", async () => {
    const upload = await create();
    await upload.part(1, "x");
    expect((await suite.s3.call({ method: "HEAD", key: upload.key })).status).toBe(404);
  });
}
