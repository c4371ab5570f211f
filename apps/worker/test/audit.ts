/**
 * What must be true of every completed file, whatever happened on the way, found out without any code of the worker:
 * file, object, metadata object, Redis and the endpoint's own log are read and compared.
 */
import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { displayPath, encodePath } from "@sluice/core";
import type { AccessEntry } from "@sluice/local-s3";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect } from "vitest";
import { BUCKET, SOURCE, type Rig } from "./rig.ts";
import { INDEXES, type StreamSeen } from "./rig/records.ts";

export interface Expected {
  /** Bytes that are not UTF-8 stand as lone surrogates. */
  path: string;
  key: string;
  /** Where another program's object stands at `<key>.metadata.json`. */
  metadataKey?: string;
  /** Parts that rightly went up once more: their bytes changed after they were sent. `any`: no byte stayed in its place. */
  sentAgain?: readonly number[] | "any";
  /** Default 1. More where a crash came between a request and its record: the same bytes again are harmless. */
  metadataPuts?: number;
  /** Times its upload was lost and a new one begun. */
  restarts?: number;
}

interface Metadata {
  stream_id: string;
  size: number;
  upload_id: string | null;
  parts: { PartNumber: number; Offset: number; Size: number; ETag: string; ChecksumCRC32: string | null }[];
  [field: string]: unknown;
}

const schema = JSON.parse(
  readFileSync(new URL("../../../docs/reference/metadata.schema.json", import.meta.url), "utf8"),
) as object;
const isMetadata = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile<Metadata>(schema);

/** These files are completed, and everything about each of them agrees. */
export async function audit(rig: Rig, files: readonly Expected[]): Promise<void> {
  for (const file of files) await auditFile(rig, file);
}

async function auditFile(rig: Rig, file: Expected): Promise<void> {
  const metadata = await readMetadata(rig, file);
  const head = await rig.bucket.head(file.key);
  expect(head.status, `HEAD ${file.key}`).toBe(200);
  const { size, crc } = await compareBytes(rig, file);
  const etag = (head.headers["etag"] ?? "").replaceAll('"', "");

  expect(metadata).toMatchObject({
    path: displayPath(file.path),
    key: file.key,
    source: SOURCE,
    bucket: BUCKET,
    size,
    crc32: crc,
    etag,
  });
  expect(head.headers["x-amz-meta-sluice-stream-id"]).toBe(metadata.stream_id);
  await auditParts(file, metadata);

  const stream = await rig.records.stream(metadata.stream_id);
  // With history over, what Redis says of the file is `files:done` alone.
  if (stream) await auditRecord(rig, file, stream, metadata);
  expect(await rig.records.done(file.path)).toMatchObject({
    stream_id: metadata.stream_id,
    file_size: size,
    s3_key: file.key,
    etag,
    crc32: crc,
  });
  auditRequests(rig, file, metadata, stream);
}

function metadataKeyOf({ key, metadataKey = `${key}.metadata.json` }: Expected): string {
  return metadataKey;
}

async function readMetadata(rig: Rig, file: Expected): Promise<Metadata> {
  const { key } = file;
  const document: unknown = JSON.parse(await rig.bucket.text(metadataKeyOf(file)));
  if (!isMetadata(document)) {
    expect.fail(
      `the metadata object of ${key} breaks its schema: ${JSON.stringify(isMetadata.errors, null, 2)}`,
    );
  }
  return document;
}

/** Byte for byte; returns what the metadata must say of these bytes. */
async function compareBytes(rig: Rig, { path, key }: Expected): Promise<{ size: number; crc: string }> {
  await using file = await open(Buffer.from(encodePath(path)));
  const { size } = await file.stat();
  expect(Number((await rig.bucket.head(key)).headers["content-length"]), `size of ${key}`).toBe(size);
  let at = 0;
  let crc = 0;
  for await (const piece of rig.bucket.read(key, size)) {
    const local = Buffer.alloc(piece.length);
    await file.read(local, 0, piece.length, at);
    if (!local.equals(piece))
      expect.fail(`${key} differs from its file between byte ${at} and ${at + piece.length}`);
    crc = crc32(local, crc);
    at += piece.length;
  }
  expect(at, `bytes read of ${key}`).toBe(size);
  return { size, crc: base64(crc) };
}

/** The parts cover the file from byte 0 without gap or overlap, and each CRC is that of its bytes. */
async function auditParts({ path, key }: Expected, { parts, size }: Metadata): Promise<void> {
  if (parts.length === 0) return;
  await using file = await open(Buffer.from(encodePath(path)));
  let at = 0;
  for (const [index, part] of parts.entries()) {
    expect(part, `part ${index + 1} of ${key}`).toMatchObject({ PartNumber: index + 1, Offset: at });
    const bytes = Buffer.alloc(part.Size);
    await file.read(bytes, 0, part.Size, at);
    expect(part.ChecksumCRC32, `CRC32 of part ${part.PartNumber} of ${key}`).toBe(base64(crc32(bytes)));
    at += part.Size;
  }
  expect(at, `bytes covered by the parts of ${key}`).toBe(size);
}

async function auditRecord(rig: Rig, file: Expected, stream: StreamSeen, metadata: Metadata): Promise<void> {
  expect(stream).toMatchObject({ status: "completed", original_path: file.path, s3_key: file.key });
  expect(stream["s3_metadata_key"]).toBe(file.metadataKey);
  expect(stream["file_size"]).toBe(String(metadata.size));
  expect(await rig.records.indexesOf(stream.id), `indexes of ${stream.id}`).toEqual(["streams:completed"]);
  const recorded = await rig.records.parts(stream.id);
  expect([...recorded.values()].map(({ Size, Offset, ETag }) => ({ Size, Offset, ETag }))).toEqual(
    metadata.parts.map(({ Size, Offset, ETag }) => ({ Size, Offset, ETag })),
  );
}

/** From the endpoint's log: what was asked for once was asked for once, and no byte went up twice. */
function auditRequests(rig: Rig, file: Expected, metadata: Metadata, stream: StreamSeen | undefined): void {
  const { key, sentAgain = [], metadataPuts = 1, restarts = 0 } = file;
  const from = Date.parse(String(metadata["started_at_utc"]));
  const to = stream?.["completed_at_utc"] === undefined ? Infinity : Date.parse(stream["completed_at_utc"]);
  const granted = rig.requests.filter(
    (entry) =>
      isGranted(entry) && entry.bucket === BUCKET && entry.startedAt >= from && entry.startedAt <= to,
  );
  const count = (operation: string, of: string) =>
    granted.filter((entry) => entry.operation === operation && entry.key === of).length;

  const multipart = metadata.upload_id !== null;
  expect(
    {
      creates: count("CreateMultipartUpload", key),
      completes: count("CompleteMultipartUpload", key),
      puts: count("PutObject", key),
      metadataPuts: count("PutObject", metadataKeyOf(file)),
    },
    `requests for ${key}`,
  ).toEqual({
    creates: Number(multipart) + restarts,
    completes: Number(multipart),
    puts: Number(!multipart),
    metadataPuts,
  });

  const acknowledged = granted.filter(
    (entry) => entry.key === key && (restarts === 0 || entry.uploadId === metadata.upload_id),
  );
  const uploaded = acknowledged.filter(({ operation }) => operation === "UploadPart");
  const copied = acknowledged.filter(({ operation }) => operation === "UploadPartCopy");
  expect(
    uploaded.every((entry) => entry.uploadId === metadata.upload_id),
    `one upload id for ${key}`,
  ).toBe(true);
  const numbers = uploaded.map((entry) => entry.partNumber ?? 0).toSorted((a, b) => a - b);
  if (sentAgain === "any") {
    return expect(new Set(numbers), `parts acknowledged for ${key}`).toEqual(
      new Set(metadata.parts.map((part) => part.PartNumber)),
    );
  }
  // What was copied inside the store is sent only where the copy turned out to be of other bytes.
  const spared = copied.map((entry) => entry.partNumber ?? 0).filter((number) => !numbers.includes(number));
  const parts = metadata.parts.map((part) => part.PartNumber).filter((number) => !spared.includes(number));
  const wanted = [...parts, ...sentAgain].toSorted((a, b) => a - b);
  expect(numbers, `parts acknowledged for ${key}`).toEqual(wanted);
}

/** The store did what was asked; a reply that a fault made up is none of the store's. */
function isGranted({ status, faults }: AccessEntry): boolean {
  return status !== null && status >= 200 && status < 300 && !faults.includes("reply");
}

export interface Leftovers {
  /** Streams that rightly failed, by the reason in their status. */
  failed?: readonly string[];
  /** Uploads that are rightly kept. */
  openUploads?: number;
  /** Streams still live. */
  live?: number;
  /** Warnings and errors in a worker's log are looked for from this level on. Default 50: errors. */
  quietBelow?: number;
}

/** When all work is done nothing is left behind: no upload, no key, no claim, no error, no secret. */
export async function auditRig(rig: Rig, left: Leftovers = {}): Promise<void> {
  const { records } = rig;
  expect(await rig.bucket.openUploads()).toHaveLength(left.openUploads ?? 0);
  const streams = await records.streams();
  const failed = streams
    .filter(({ status }) => status.startsWith("failed_"))
    .map(({ status }) => status.slice("failed_".length));
  expect(failed.toSorted()).toEqual([...(left.failed ?? [])].toSorted());
  for (const { id, status } of streams) {
    const indexes = await records.indexesOf(id);
    expect(indexes, `indexes of ${id}, ${status}`).toHaveLength(1);
  }
  const indexed = await Promise.all(INDEXES.map((index) => records.redis.zcard(index)));
  expect(
    indexed.reduce((sum, count) => sum + count, 0),
    "an index names a stream without a record",
  ).toBe(streams.length);
  const live = streams.filter(({ status }) => status !== "completed" && !status.startsWith("failed_"));
  expect(live.map(({ id, status, original_path: path }) => ({ id, status, path }))).toHaveLength(
    left.live ?? 0,
  );
  await auditClaims(rig, new Set(streams.filter(({ status }) => status !== "completed").map(({ id }) => id)));
  auditLogs(rig, left.quietBelow ?? 50);
}

/** Paths and keys belong to streams that are not finished, and to no others. */
async function auditClaims({ records }: Rig, unfinished: ReadonlySet<string>): Promise<void> {
  const claims = [
    ...Object.values(await records.redis.hgetall("streams:by_path")),
    ...Object.values(await records.redis.hgetall("streams:by_key")),
  ];
  expect(claims.filter((id) => !unfinished.has(id))).toEqual([]);
}

function auditLogs(rig: Rig, level: number): void {
  const secret = rig.env()["AWS_SECRET_ACCESS_KEY"] ?? "";
  for (const worker of rig.workers) {
    expect(worker.lines.filter((line) => line.level >= level)).toEqual([]);
    expect(worker.other, "what a worker wrote outside its log").toEqual([]);
    expect(JSON.stringify(worker.lines)).not.toContain(secret);
  }
}

function base64(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString("base64");
}
