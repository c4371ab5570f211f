/** A store under test: its own local-s3 in its own directory, gone with all it wrote when it is disposed. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AccessEntry, Faults, type LocalS3Options, type Quirks, startLocalS3 } from "@sluice/local-s3";
import type { UploadRef } from "@sluice/core";
import { FULL_PROFILE } from "@sluice/core/testing";
import { connectS3, type S3Connection, type S3Settings } from "../src/connection.ts";
import { S3ObjectStore, type S3StoreOptions } from "../src/object-store.ts";
import { nodeDigests } from "../../core/test/node-digests.ts";
import { CAUTIOUS, type S3Profile } from "../src/profiles.ts";

export const CREDENTIALS = { accessKeyId: "AKIDRIG", secretAccessKey: "rig-secret" };
export const BUCKET = "recordings";

/** What local-s3 does without quirks. */
export const AWS_LIKE: S3Profile = {
  ...CAUTIOUS,
  ...FULL_PROFILE,
  objectSizeInComplete: true,
};

export interface RigOptions {
  quirks?: Quirks;
  profile?: Partial<S3Profile>;
  server?: Partial<LocalS3Options>;
  settings?: Partial<S3Settings>;
  store?: Partial<S3StoreOptions>;
}

export interface Rig extends AsyncDisposable {
  readonly url: string;
  readonly faults: Faults;
  readonly log: AccessEntry[];
  readonly connection: S3Connection;
  readonly store: S3ObjectStore;
  /** Requests of one operation so far. */
  count(operation: string): number;
}

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-s3-"));
  const faults = new Faults();
  const log: AccessEntry[] = [];
  const s3 = await startLocalS3({
    dir,
    credentials: CREDENTIALS,
    buckets: [BUCKET],
    fsync: false,
    faults,
    quirks: options.quirks ?? {},
    onRequest: (entry) => void log.push(entry),
    ...options.server,
  });
  const connection = connectS3({
    endpoint: s3.url,
    region: "us-east-1",
    credentials: CREDENTIALS,
    uploadConcurrency: 4,
    ...options.settings,
  });
  const store = new S3ObjectStore(connection, {
    profile: { ...AWS_LIKE, ...options.profile },
    prefix: "",
    ...options.store,
  });
  return {
    url: s3.url,
    faults,
    log,
    connection,
    store,
    count: (operation) => log.filter((entry) => entry.operation === operation).length,
    async [Symbol.asyncDispose]() {
      connection[Symbol.dispose]();
      await s3[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export const HEADERS = { contentType: "video/mp4", metadata: { "sluice-stream-id": "01rig" } };
const { crc32 } = nodeDigests;

export function ref(key: string): { bucket: string; key: string } {
  return { bucket: BUCKET, key };
}

export function putRequest(body: Uint8Array) {
  return { ...HEADERS, body, crc: crc32(body), condition: undefined };
}

export function partRequest(bytes: Uint8Array) {
  return { body: { kind: "bytes" as const, bytes }, crc: crc32(bytes) };
}

export async function openUpload(store: S3ObjectStore, key: string): Promise<UploadRef> {
  return { ...ref(key), ...(await store.createUpload(ref(key), HEADERS)) };
}

/** One small part in an upload, and what Complete is to be sent for it. */
export async function uploadWithPart(
  store: S3ObjectStore,
  key: string,
  bytes: Uint8Array = Buffer.from("a part"),
) {
  const upload = await openUpload(store, key);
  const sent = await store.uploadPart(upload, 1, partRequest(bytes));
  if (sent.kind !== "stored") throw new Error(`the part is ${sent.kind}`);
  const request = {
    parts: [{ PartNumber: 1, ETag: sent.etag, ChecksumCRC32: crcText(bytes) }],
    size: bytes.length,
    crc: crc32(bytes),
    condition: undefined,
  };
  return { upload, request };
}

function crcText(bytes: Uint8Array): string {
  const four = Buffer.alloc(4);
  four.writeUInt32BE(crc32(bytes));
  return four.toString("base64");
}
