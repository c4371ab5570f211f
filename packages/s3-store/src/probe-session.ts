/**
 * The probe's own requests: a refusal is an answer, only an unavailable store ends the probe; it removes what it
 * creates.
 */
import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
} from "@aws-sdk/client-s3";
import { crc32ToBase64, LIMITS, StoreError } from "@sluice/core";
import { attributeFields, type ObjectAttributes } from "./attributes.ts";
import type { BodyRequest, ReplyHeaders, S3Connection } from "./connection.ts";
import type { S3Failure } from "./errors.ts";
import { listedObjects } from "./replies.ts";
import { askedKey, probeRoot, S3Requests } from "./requests.ts";
import type { ExchangeOptions } from "./transport.ts";
import { isOwnMatter, storeTrouble } from "./verdict.ts";

/**
 * Objects left by another probe that was killed are removed when they are older than this; our own are removed at once.
 */
const LEFTOVER_MS = 60 * 60_000;
/** Maximum number of old versions removed at one start. */
const SWEPT_VERSIONS = 200;
const PROBE_METADATA = { "sluice-stream-id": "probe" };

export type Tried<T> = { ok: true; reply: T } | { ok: false; refusal: S3Failure };

/** How a body is verified. */
export type Proof = "crc32" | "md5";

/** As headers. */
export function proofOf(body: Uint8Array, proof: Proof): Record<string, string> {
  return proof === "crc32"
    ? { "x-amz-checksum-crc32": crc32ToBase64(crc32(body)) }
    : { "content-md5": createHash("md5").update(body).digest("base64") };
}

const REACH = "ListObjectsV2";

/** Whether a failure is an answer to the probe's question. */
function isRefusal(failure: S3Failure, { wrong, first }: { wrong: boolean; first: boolean }): boolean {
  const { status } = failure;
  if (status === undefined) return false;
  const trouble = storeTrouble(failure);
  if (trouble === "denied" || trouble === "rejected" || trouble === "garbled") return true;
  // The listing has been answered with the same credentials, by the same bucket.
  const itself = status >= 300 && status < 500 && trouble !== "throttled" && status !== 408;
  return !first && ((itself && isOwnMatter(failure)) || (wrong && status === 500));
}

export interface ProbePlace {
  bucket: string;
  /** The effective key prefix for uploads. */
  prefix: string;
  /** The name of the prober; two concurrent probes have different names. Without it nothing found counts as our own. */
  prober?: string | undefined;
}

export class ProbeSession implements AsyncDisposable {
  readonly connection: S3Connection;
  readonly bucket: string;
  readonly attributes;
  readonly #requests: S3Requests;
  readonly #root: string;
  /** The common beginning of this prober's directories; undefined: it has none of its own. */
  readonly #own: string | undefined;
  #directory: string;
  #mayDelete = false;
  readonly #objects = new Set<string>();
  readonly #uploads = new Map<string, string>();
  /** In a bucket with versioning, deleting a key deletes none of them. */
  #versions: { key: string; versionId: string }[] = [];
  #versioned = false;

  constructor(connection: S3Connection, place: ProbePlace, attributes: ObjectAttributes) {
    this.#root = probeRoot(place.prefix);
    this.#directory = `${this.#root}kept/`;
    const { prober } = place;
    if (prober !== undefined) this.#own = createHash("sha256").update(prober).digest("hex").slice(0, 16);
    this.#requests = new S3Requests(connection, { prefix: place.prefix, headMissingIs404: false });
    this.connection = connection;
    this.bucket = place.bucket;
    this.attributes = attributeFields({ contentType: "text/plain", metadata: PROBE_METADATA }, attributes);
  }

  get root(): string {
    return this.#root;
  }

  /** The key for a probe object. It is removed at the end, or left empty if that is not allowed. */
  key(name: string): string {
    const key = this.#directory + name;
    this.#objects.add(key);
    return key;
  }

  /** The same key, for questions about an existing object, which stays unchanged. */
  existingKey(name: string): string {
    return this.#directory + name;
  }

  /** Once objects can be deleted, each probe has its own names; otherwise all share a few fixed ones. */
  deletionWorks(): void {
    this.#mayDelete = true;
    const own = this.#own === undefined ? "" : `${this.#own}-`;
    this.#directory = `${this.#root}${own}${randomBytes(8).toString("hex")}/`;
  }

  uploadOpened(uploadId: string, key: string): void {
    this.#uploads.set(uploadId, key);
  }

  uploadEnded(uploadId: string): void {
    this.#uploads.delete(uploadId);
  }

  /** `versionId`: from the store's reply to a write. */
  written(key: string, versionId: string | undefined): void {
    if (versionId === undefined) return;
    this.#versioned = true;
    this.#versions.push({ key, versionId });
    // Deleting the key would only add a delete marker.
    this.#objects.delete(key);
  }

  /** The bucket has, or once had, versioning. */
  get versioned(): boolean {
    return this.#versioned;
  }

  /**
   * Rejects with a StoreError if the store is unavailable. `wrong`: the request is wrong on purpose, so a server error
   * counts as a refusal too.
   */
  async try<T>(
    what: string,
    send: (options: ExchangeOptions) => Promise<T>,
    { deadlineMs = LIMITS.storeControlMs, wrong = false }: { deadlineMs?: number; wrong?: boolean } = {},
  ): Promise<Tried<T>> {
    const call = { what: `probe: ${what}`, bucket: this.bucket, deadlineMs };
    const first = what === REACH;
    const tried = await this.#requests.call<Tried<T>>(
      call,
      async (options) => ({ ok: true, reply: await send(options) }),
      (failure) => {
        // A reply to HEAD has no body, whatever its content type says.
        const refusal = what === "HeadObject" ? { ...failure, page: false } : failure;
        return isRefusal(refusal, { wrong, first }) ? { ok: false, refusal } : undefined;
      },
    );
    if (tried.ok) return tried;
    // A reply that is not S3's may be a proxy's, for this request alone or for all of them: another request shows
    // which.
    if (tried.refusal.page && !first) await this.list(1);
    return tried;
  }

  /** The request that must succeed before any other result is meaningful. */
  async list(maxKeys?: number) {
    const input = {
      Bucket: this.bucket,
      Prefix: this.#root,
      ...(maxKeys !== undefined && { MaxKeys: maxKeys }),
    };
    return await this.try(REACH, async (options) =>
      listedObjects(await this.connection.send(new ListObjectsV2Command(input), options), `probe: ${REACH}`),
    );
  }

  /** Sends bytes in the same way as uploads do; resolves with the reply's headers. */
  async put(request: Omit<BodyRequest, "bucket">, { wrong = false } = {}): Promise<Tried<ReplyHeaders>> {
    const bytes = request.body instanceof Uint8Array ? request.body.length : request.body.bytes;
    return await this.try(
      "PutObject",
      async (options) => {
        const reply = await this.connection.put({ ...request, bucket: this.bucket }, options);
        this.written(request.key, reply["x-amz-version-id"]);
        return reply;
      },
      { deadlineMs: this.#requests.bodyDeadlineMs(bytes), wrong },
    );
  }

  async head(key: string, checksum = false) {
    const input = { Bucket: this.bucket, Key: key, ...(checksum && { ChecksumMode: "ENABLED" as const }) };
    return await this.try("HeadObject", (options) =>
      this.connection.send(new HeadObjectCommand(input), options),
    );
  }

  /** Reads an object to its end. That an archived object cannot be read is not a matter of permissions. */
  async get(key: string): Promise<Tried<unknown>> {
    const input = { Bucket: this.bucket, Key: key };
    const read = await this.try("GetObject", async (options) => {
      const streamed: ExchangeOptions = { ...options, streamReply: true };
      const reply = await this.connection.send(new GetObjectCommand(input), streamed);
      return await reply.Body?.transformToByteArray();
    });
    const archived = !read.ok && read.refusal.code === "InvalidObjectState";
    return archived ? { ok: true, reply: undefined } : read;
  }

  /** Removes what was written at the key, every version of it, and leaves no delete marker. */
  async delete(key: string): Promise<Tried<unknown>> {
    const versions = this.#versions.filter((version) => version.key === key);
    if (versions.length === 0) return await this.#deleteKey(key);
    let refused: Tried<unknown> | undefined;
    for (const version of versions) {
      const gone = await this.#deleteVersion(key, version.versionId);
      if (gone.ok) this.#versions = this.#versions.filter((one) => one !== version);
      else refused = gone;
    }
    return refused ?? { ok: true, reply: undefined };
  }

  async #deleteVersion(Key: string, VersionId: string) {
    return await this.try("DeleteObject", (options) =>
      this.connection.send(new DeleteObjectCommand({ Bucket: this.bucket, Key, VersionId }), options),
    );
  }

  async #deleteKey(Key: string): Promise<Tried<unknown>> {
    const gone = await this.try("DeleteObject", (options) =>
      this.connection.send(new DeleteObjectCommand({ Bucket: this.bucket, Key }), options),
    );
    if (!gone.ok) return gone;
    this.#objects.delete(Key);
    // A store that does not report versioning on writes reports it now.
    const { DeleteMarker, VersionId } = gone.reply;
    if (DeleteMarker === true && VersionId !== undefined) await this.#deleteVersion(Key, VersionId);
    return gone;
  }

  async abort(uploadId: string, key: string): Promise<Tried<unknown>> {
    const input = { Bucket: this.bucket, Key: key, UploadId: uploadId };
    const gone = await this.try("AbortMultipartUpload", (options) =>
      this.connection.send(new AbortMultipartUploadCommand(input), options),
    );
    if (gone.ok) this.uploadEnded(uploadId);
    return gone;
  }

  /** Removes what an earlier probe that was killed left behind. */
  async sweep(): Promise<void> {
    await this.sweepUploads();
    // A store that takes the prefix for a whole key has not shown anything yet.
    await this.sweepUploads({ byPrefix: false });
    await this.sweepObjects();
  }

  #isLeft(key: string | undefined, date: Date | undefined): boolean {
    if (key?.startsWith(this.#root) !== true) return false;
    // An upload that only checks the permission to write ends at once, so another probe may abort it.
    if (key === askedKey(this.#root)) return true;
    const own = this.#own !== undefined && key.startsWith(`${this.#root}${this.#own}-`);
    return own || (date !== undefined && Date.now() - date.getTime() > LEFTOVER_MS);
  }

  async sweepUploads({ byPrefix = true } = {}): Promise<void> {
    const input = { Bucket: this.bucket, ...(byPrefix && { Prefix: this.#root }) };
    const uploads = await this.try("ListMultipartUploads", (options) =>
      this.connection.send(new ListMultipartUploadsCommand(input), options),
    );
    for (const { Key, UploadId, Initiated } of (uploads.ok && uploads.reply.Uploads) || []) {
      if (Key && UploadId && this.#isLeft(Key, Initiated)) await this.abort(UploadId, Key);
    }
  }

  async sweepObjects(): Promise<void> {
    if (!this.#mayDelete) return;
    if (this.#versioned) return await this.#sweepVersions();
    const objects = await this.list();
    for (const { Key, LastModified } of (objects.ok && objects.reply.Contents) || []) {
      if (Key && this.#isLeft(Key, LastModified)) await this.#deleteKey(Key);
    }
  }

  /** Includes delete markers, which earlier releases left at each start; a few at a time. */
  async #sweepVersions(): Promise<void> {
    const input = { Bucket: this.bucket, Prefix: this.#root };
    const listed = await this.try("ListObjectVersions", (options) =>
      this.connection.send(new ListObjectVersionsCommand(input), options),
    );
    if (!listed.ok) return;
    const { Versions = [], DeleteMarkers = [] } = listed.reply;
    const old = [...Versions, ...DeleteMarkers].filter(({ Key, LastModified }) =>
      this.#isLeft(Key, LastModified),
    );
    for (const { Key, VersionId } of old.slice(0, SWEPT_VERSIONS)) {
      if (Key !== undefined && VersionId !== undefined) await this.#deleteVersion(Key, VersionId);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      for (const [uploadId, key] of this.#uploads) await this.abort(uploadId, key);
      // With versioning, an empty object written now would be one more version.
      const kept = new Set(this.#versions.map(({ key }) => key));
      if (this.#mayDelete) for (const key of kept) await this.delete(key);
      for (const key of this.#objects) {
        if (this.#mayDelete) await this.#deleteKey(key);
        else if (!this.#versioned) await this.#empty(key);
      }
    } catch (error) {
      // The store became unavailable: what is left is small, and the next probe removes it.
      if (!(error instanceof StoreError)) throw error;
    }
  }

  /** An object that cannot be deleted is made as small as possible. */
  async #empty(key: string): Promise<void> {
    await this.put({ key, query: {}, headers: {}, body: Buffer.alloc(0), signed: true });
  }
}
