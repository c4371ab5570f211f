/** AWS's own SDK with its default settings, checksums and all, is at home here. */
import { Readable } from "node:stream";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  NoSuchUpload,
  PutBucketLifecycleConfigurationCommand,
  GetBucketLifecycleConfigurationCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { expect, onTestFinished, test } from "vitest";
import { crc32Base64, FULL_PART, md5Hex, multipartEtag } from "./bodies.ts";
import { BUCKET, credentials, startRig } from "./rig.ts";

async function startSdk(): Promise<S3Client> {
  const { server } = await startRig();
  const sdk = new S3Client({ endpoint: server.url, region: "us-east-1", forcePathStyle: true, credentials });
  onTestFinished(() => sdk.destroy());
  return sdk;
}

const Bucket = BUCKET;

test("put, get, head, list and delete, with a key that needs escaping", async () => {
  const sdk = await startSdk();
  const Key = "dir/ünï \u0001\n+&.txt";
  const put = await sdk.send(new PutObjectCommand({ Bucket, Key, Body: "hello", Metadata: { a: "b" } }));
  expect([put.ETag, put.ChecksumCRC32]).toEqual([`"${md5Hex("hello")}"`, crc32Base64("hello")]);
  const got = await sdk.send(new GetObjectCommand({ Bucket, Key }));
  expect([await got.Body?.transformToString(), got.Metadata, got.ChecksumCRC32]).toEqual([
    "hello",
    { a: "b" },
    crc32Base64("hello"),
  ]);
  const list = await sdk.send(new ListObjectsV2Command({ Bucket, Prefix: "dir/" }));
  expect(list.Contents?.map((object) => object.Key)).toEqual([Key]);
  const removed = await sdk.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }] } }));
  expect(removed.Deleted).toEqual([{ Key }]);
  await expect(sdk.send(new HeadObjectCommand({ Bucket, Key }))).rejects.toMatchObject({ name: "NotFound" });
});

test("a stream body travels as aws-chunked with a trailing checksum", async () => {
  const sdk = await startSdk();
  const Body = Readable.from([FULL_PART, Buffer.from("tail")]);
  await sdk.send(new PutObjectCommand({ Bucket, Key: "stream", Body, ContentLength: FULL_PART.length + 4 }));
  const got = await sdk.send(new GetObjectCommand({ Bucket, Key: "stream" }));
  expect(
    Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(
      Buffer.concat([FULL_PART, Buffer.from("tail")]),
    ),
  ).toBe(true);
});

test.each(["CRC32", "CRC32C", "CRC64NVME", "SHA256"] as const)(
  "a multipart upload with %s",
  async (ChecksumAlgorithm) => {
    const sdk = await startSdk();
    const Key = "multi";
    const { UploadId } = await sdk.send(new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm }));
    const at = { Bucket, Key, UploadId };
    for (const [index, Body] of [FULL_PART, Buffer.from("tail")].entries()) {
      await sdk.send(new UploadPartCommand({ ...at, PartNumber: index + 1, Body, ChecksumAlgorithm }));
    }
    const { Parts = [] } = await sdk.send(new ListPartsCommand(at));
    const complete = new CompleteMultipartUploadCommand({ ...at, MultipartUpload: { Parts } });
    const done = await sdk.send(complete);
    expect(done.ETag).toBe(`"${multipartEtag([FULL_PART, "tail"])}"`);
    const head = await sdk.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
    const name = `Checksum${ChecksumAlgorithm}` as const;
    expect([head.ContentLength, head[name], head.ChecksumType]).toEqual([
      FULL_PART.length + 4,
      done[name],
      done.ChecksumType,
    ]);
    await expect(sdk.send(new ListPartsCommand(at))).rejects.toBeInstanceOf(NoSuchUpload);
  },
);

test("a lifecycle configuration is kept", async () => {
  const sdk = await startSdk();
  const Rules = [
    {
      ID: "abort",
      Status: "Enabled" as const,
      Filter: { Prefix: "" },
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
    },
  ];
  const get = new GetBucketLifecycleConfigurationCommand({ Bucket });
  await expect(sdk.send(get)).rejects.toMatchObject({ name: "NoSuchLifecycleConfiguration" });
  await sdk.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
  expect((await sdk.send(get)).Rules).toMatchObject([
    { ID: "abort", AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } },
  ]);
});
