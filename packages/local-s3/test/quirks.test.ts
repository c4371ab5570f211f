/** Each quirk changes the one behaviour it names. */
import { expect, test } from "vitest";
import type { Quirk } from "../src/index.ts";
import { crc32Base64, FULL_PART, md5Hex, OTHER_PART } from "./bodies.ts";
import { startRig } from "./rig.ts";
import { type Answer, type S3Client, tag, tags } from "./s3-client.ts";
import { Upload } from "./uploads.ts";

const withQuirk = async (quirk: Quirk): Promise<S3Client> =>
  (await startRig({ quirks: { [quirk]: true } })).s3;
const put = (s3: S3Client, headers: Record<string, string> = {}): Promise<Answer> =>
  s3.call({ method: "PUT", key: "k", body: "x", headers });

async function completed(
  s3: S3Client,
): Promise<{ upload: Upload; parts: { number: number; etag: string }[]; answer: Answer }> {
  const upload = await Upload.create(s3, "k");
  const parts = [await upload.part(1, "x")];
  return { upload, parts, answer: await upload.complete(parts) };
}

test("nonIdempotentComplete", async () => {
  const { upload, parts } = await completed(await withQuirk("nonIdempotentComplete"));
  expect((await upload.complete(parts)).code).toBe("NoSuchUpload");
});

test("noSuchKeyForUpload", async () => {
  const { upload } = await completed(await withQuirk("noSuchKeyForUpload"));
  expect((await upload.list()).code).toBe("NoSuchKey");
});

test("emptyCompleteEtag: empty at first, right when repeated", async () => {
  const { upload, parts, answer } = await completed(await withQuirk("emptyCompleteEtag"));
  expect([answer.status, answer.text.includes("<ETag></ETag>")]).toEqual([200, true]);
  expect(tag((await upload.complete(parts)).text, "ETag")).toMatch(/^"[0-9a-f]{32}-1"$/);
});

test("ignoreConditionalComplete and ignoreObjectSize", async () => {
  const { s3 } = await startRig({ quirks: { ignoreConditionalComplete: true, ignoreObjectSize: true } });
  await put(s3);
  const upload = await Upload.create(s3, "k");
  const parts = [await upload.part(1, "y")];
  expect((await upload.complete(parts, { "if-none-match": "*", "x-amz-mp-object-size": "99" })).status).toBe(
    200,
  );
});

test("ignoreConditionalPut", async () => {
  const s3 = await withQuirk("ignoreConditionalPut");
  await put(s3);
  expect((await put(s3, { "if-none-match": "*" })).status).toBe(200);
});

test("noChecksums", async () => {
  const s3 = await withQuirk("noChecksums");
  expect((await put(s3, { "x-amz-checksum-crc32": crc32Base64("x") })).status).toBe(400);
  expect(
    (
      await s3.call({
        method: "POST",
        key: "k",
        query: { uploads: "" },
        headers: { "x-amz-checksum-algorithm": "CRC32" },
      })
    ).status,
  ).toBe(400);
  expect((await put(s3)).status).toBe(200);
});

test("noPartChecksumInListParts", async () => {
  const upload = await Upload.create(await withQuirk("noPartChecksumInListParts"), "k");
  await upload.part(1, "x", { "x-amz-checksum-crc32": crc32Base64("x") });
  expect((await upload.list()).text).not.toContain("ChecksumCRC32");
});

test("etagNotMd5: ETags say nothing of the bytes and Complete works with them", async () => {
  const s3 = await withQuirk("etagNotMd5");
  expect((await put(s3)).headers["etag"]).not.toBe(`"${md5Hex("x")}"`);
  const { answer } = await completed(s3);
  expect(answer.status).toBe(200);
  expect((await put(s3, { "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" })).code).toBe("BadDigest");
});

test("noMetadata", async () => {
  const s3 = await withQuirk("noMetadata");
  await put(s3, { "x-amz-meta-sluice-stream-id": "01ABC" });
  expect(
    (await s3.call({ method: "HEAD", key: "k" })).headers["x-amz-meta-sluice-stream-id"],
  ).toBeUndefined();
});

test("listUploadsExactKeyOnly", async () => {
  const s3 = await withQuirk("listUploadsExactKeyOnly");
  await Upload.create(s3, "dir/a");
  const list = async (prefix: string) =>
    tags((await s3.call({ method: "GET", query: { uploads: "", prefix } })).text, "UploadId").length;
  expect([await list("dir/"), await list("dir/a")]).toEqual([0, 1]);
});

test("head403OnMissing", async () => {
  const s3 = await withQuirk("head403OnMissing");
  expect((await s3.call({ method: "HEAD", key: "k" })).status).toBe(403);
  await put(s3);
  expect((await s3.call({ method: "HEAD", key: "k" })).status).toBe(200);
});

test("refuseUnlistedParts", async () => {
  const upload = await Upload.create(await withQuirk("refuseUnlistedParts"), "k");
  const part = await upload.part(1, "x");
  await upload.part(2, "y");
  expect((await upload.complete([part])).code).toBe("InvalidPart");
});

test("equalParts", async () => {
  const upload = await Upload.create(await withQuirk("equalParts"), "k");
  const longer = Buffer.concat([OTHER_PART, Buffer.from("x")]);
  const [one, two, three] = [
    await upload.part(1, FULL_PART),
    await upload.part(2, longer),
    await upload.part(3, "tail"),
  ];
  expect((await upload.complete([one, two, three])).code).toBe("InvalidPart");
  const equal = await upload.part(2, OTHER_PART);
  expect((await upload.complete([one, equal, three])).status).toBe(200);
});

test("refuseUnsignedPayload and noTrailers", async () => {
  const { s3 } = await startRig({ quirks: { refuseUnsignedPayload: true, noTrailers: true } });
  expect((await put(s3, { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" })).code).toBe("InvalidArgument");
  expect((await put(s3)).status).toBe(200);
  const headers = {
    "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "transfer-encoding": "chunked",
    "x-amz-decoded-content-length": "1",
  };
  expect((await s3.call({ method: "PUT", key: "k", headers })).status).toBe(411);
});
