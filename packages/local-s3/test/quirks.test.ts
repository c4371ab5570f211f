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

test("refuseIfMatchOnComplete and ignoreIfMatchOnComplete", async () => {
  for (const [quirk, right, wrong] of [
    ["refuseIfMatchOnComplete", 412, 412],
    ["ignoreIfMatchOnComplete", 200, 200],
  ] as const) {
    const s3 = await withQuirk(quirk);
    const { etag = "" } = (await put(s3)).headers as { etag?: string };
    for (const [ifMatch, status] of [
      ['"nothing"', wrong],
      [etag, right],
    ] as const) {
      const upload = await Upload.create(s3, "k");
      expect((await upload.complete([await upload.part(1, "y")], { "if-match": ifMatch })).status).toBe(
        status,
      );
    }
    const last = await Upload.create(s3, "k");
    expect((await last.complete([await last.part(1, "y")], { "if-none-match": "*" })).status).toBe(412);
  }
});

test("demandPartChecksums", async () => {
  const s3 = await withQuirk("demandPartChecksums");
  const plain = await Upload.create(s3, "k");
  expect((await plain.complete([await plain.part(1, "y")])).status).toBe(200);
  const upload = await Upload.create(s3, "k", {
    "x-amz-checksum-algorithm": "CRC32",
    "x-amz-checksum-type": "FULL_OBJECT",
  });
  const part = await upload.part(1, "y", { "x-amz-checksum-crc32": crc32Base64("y") });
  expect((await upload.complete([part])).code).toBe("InvalidRequest");
  expect((await upload.complete([{ ...part, more: { ChecksumCRC32: crc32Base64("y") } }])).status).toBe(200);
});

test("notModifiedOnCondition", async () => {
  const s3 = await withQuirk("notModifiedOnCondition");
  await put(s3);
  expect((await put(s3, { "if-none-match": "*" })).status).toBe(304);
});

test("listEndedUploads and listEndedUploadsEmpty", async () => {
  for (const [quirk, parts] of [
    ["listEndedUploads", 1],
    ["listEndedUploadsEmpty", 0],
  ] as const) {
    const s3 = await withQuirk(quirk);
    const { upload } = await completed(s3);
    const aborted = await Upload.create(s3, "other");
    await aborted.part(1, "x");
    await aborted.abort();
    for (const ended of [upload, aborted]) {
      const listed = await ended.list();
      expect([listed.status, tags(listed.text, "PartNumber").length]).toEqual([200, parts]);
    }
  }
});

test("htmlRefusals: HEAD and 400 are pages, other refusals S3's documents called a page", async () => {
  const s3 = await withQuirk("htmlRefusals");
  const missing = await s3.call({ method: "GET", key: "k" });
  expect([missing.code, missing.headers["content-type"]]).toEqual(["NoSuchKey", "text/html; charset=utf-8"]);
  const bad = await put(s3, { "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" });
  expect([bad.status, bad.text]).toEqual([400, "<html><body>refused</body></html>"]);
});

test("wrongChecksumIsInvalidRequest", async () => {
  const s3 = await withQuirk("wrongChecksumIsInvalidRequest");
  expect((await put(s3, { "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" })).code).toBe("InvalidRequest");
});

test("versioned: a plain delete hides, a delete of a version removes, and the version before it stands again", async () => {
  const s3 = await withQuirk("versioned");
  const first = (await put(s3)).headers["x-amz-version-id"] ?? "";
  const second = (await s3.call({ method: "PUT", key: "k", body: "yy" })).headers["x-amz-version-id"] ?? "";
  const hidden = await s3.call({ method: "DELETE", key: "k" });
  expect(hidden.headers["x-amz-delete-marker"]).toBe("true");
  const list = async () => (await s3.call({ method: "GET", query: { versions: "" } })).text;
  expect(tags(await list(), "VersionId")).toEqual([hidden.headers["x-amz-version-id"], second, first]);
  const get = async () => await s3.call({ method: "GET", key: "k" });
  expect((await get()).code).toBe("NoSuchKey");
  const remove = async (versionId: string) =>
    await s3.call({ method: "DELETE", key: "k", query: { versionId } });
  await remove(hidden.headers["x-amz-version-id"] ?? "");
  expect((await get()).text).toBe("yy");
  await remove(second);
  expect((await get()).text).toBe("x");
  await remove(first);
  expect(tags(await list(), "VersionId")).toEqual([]);
  expect((await get()).code).toBe("NoSuchKey");
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
