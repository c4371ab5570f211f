/** The probe's own requests: a refusal is an answer, only trouble of the store ends the probe; what it makes it removes. */
import { createHash, randomBytes } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
} from "@aws-sdk/client-s3";
import { LIMITS, StoreError } from "@sluice/core";
import { attributeFields, type ObjectAttributes } from "./s3-attributes.ts";
import { S3Caller } from "./s3-caller.ts";
import type { S3Connection } from "./s3-client.ts";
import { type S3Failure, storeError } from "./s3-errors.ts";
import type { BodyRequest } from "./s3-direct.ts";
import type { ExchangeOptions } from "./s3-transport.ts";

/** Left by another's probe that was killed: removed when older than this. One's own is removed at once. */
const LEFTOVER_MS = 60 * 60_000;
const PROBE_METADATA = { "sluice-stream-id": "probe" };

export type Tried<T> = { ok: true; reply: T } | { ok: false; refusal: S3Failure };

export interface ProbePlace {
  bucket: string;
  /** The effective key prefix of the work. */
  prefix: string;
  /** Who probes; two that probe at once bear different names. Without it nothing found is one's own. */
  prober?: string | undefined;
}

export class ProbeSession implements AsyncDisposable {
  readonly client;
  readonly bucket: string;
  readonly attributes;
  readonly #caller: S3Caller;
  readonly #root: string;
  /** What the names of this prober's directories begin with; undefined: it has none of its own. */
  readonly #own: string | undefined;
  #directory: string;
  #mayDelete = false;
  readonly #objects = new Set<string>();
  readonly #uploads = new Map<string, string>();
  /** In a bucket that keeps versions, deleting a key deletes none of them. */
  readonly #versions: { key: string; versionId: string }[] = [];

  constructor(connection: S3Connection, place: ProbePlace, attributes: ObjectAttributes) {
    this.#root = `${place.prefix}.sluice-probe/`;
    this.#directory = `${this.#root}kept/`;
    const { prober } = place;
    if (prober !== undefined) this.#own = createHash("sha256").update(prober).digest("hex").slice(0, 16);
    this.#caller = new S3Caller(connection, { prefix: place.prefix, headMissingIs404: false });
    this.client = connection.client;
    this.bucket = place.bucket;
    this.attributes = attributeFields({ contentType: "text/plain", metadata: PROBE_METADATA }, attributes);
  }

  get root(): string {
    return this.#root;
  }

  /** The key for a probe object. It is removed at the end, or where that is not allowed, left empty. */
  key(name: string): string {
    const key = this.#directory + name;
    this.#objects.add(key);
    return key;
  }

  /** Once objects can be deleted, each probe has names of its own; else all share a few fixed ones. */
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

  /** `versionId`: as the store answered a write. */
  written(key: string, versionId: string | undefined): void {
    if (versionId !== undefined && versionId !== "null") this.#versions.push({ key, versionId });
  }

  /** Rejects with a StoreError when it is the store that is in trouble. */
  async try<T>(
    what: string,
    send: (options: ExchangeOptions) => Promise<T>,
    deadlineMs?: number,
  ): Promise<Tried<T>> {
    const call = {
      what: `probe: ${what}`,
      bucket: this.bucket,
      deadlineMs: deadlineMs ?? LIMITS.storeControlMs,
    };
    return await this.#caller.call<Tried<T>>(
      call,
      async (options) => ({ ok: true, reply: await send(options) }),
      (refusal) => {
        const { trouble } = storeError(refusal, what, false);
        return trouble === "denied" || trouble === "rejected" || trouble === "garbled"
          ? { ok: false, refusal }
          : undefined;
      },
    );
  }

  /** Sends bytes the way the work does; the reply's headers. */
  async put(request: Omit<BodyRequest, "bucket">): Promise<Tried<Readonly<Record<string, string>>>> {
    const bytes = request.body instanceof Uint8Array ? request.body.length : request.body.bytes;
    return await this.try(
      "PutObject",
      async (options) => {
        const reply = await this.#caller.direct.put({ ...request, bucket: this.bucket }, options);
        this.written(request.key, reply["x-amz-version-id"]);
        return reply;
      },
      this.#caller.bodyDeadlineMs(bytes),
    );
  }

  async delete(key: string, versionId?: string): Promise<Tried<unknown>> {
    const input = { Bucket: this.bucket, Key: key, ...(versionId !== undefined && { VersionId: versionId }) };
    const gone = await this.try("DeleteObject", (options) =>
      this.client.send(new DeleteObjectCommand(input), options),
    );
    if (gone.ok && versionId === undefined) this.#objects.delete(key);
    return gone;
  }

  async abort(uploadId: string, key: string): Promise<Tried<unknown>> {
    const input = { Bucket: this.bucket, Key: key, UploadId: uploadId };
    const gone = await this.try("AbortMultipartUpload", (options) =>
      this.client.send(new AbortMultipartUploadCommand(input), options),
    );
    if (gone.ok) this.uploadEnded(uploadId);
    return gone;
  }

  /** What an earlier probe left behind when it was killed. */
  async sweep(): Promise<void> {
    const input = { Bucket: this.bucket, Prefix: this.#root };
    const left = (key: string | undefined, date: Date | undefined): boolean =>
      key?.startsWith(this.#root) === true &&
      ((this.#own !== undefined && key.startsWith(`${this.#root}${this.#own}-`)) ||
        (date !== undefined && Date.now() - date.getTime() > LEFTOVER_MS));
    const uploads = await this.try("ListMultipartUploads", (options) =>
      this.client.send(new ListMultipartUploadsCommand(input), options),
    );
    for (const { Key, UploadId, Initiated } of (uploads.ok && uploads.reply.Uploads) || []) {
      if (Key && UploadId && left(Key, Initiated)) await this.abort(UploadId, Key);
    }
    if (!this.#mayDelete) return;
    const objects = await this.try("ListObjectsV2", (options) =>
      this.client.send(new ListObjectsV2Command(input), options),
    );
    for (const { Key, LastModified } of (objects.ok && objects.reply.Contents) || []) {
      if (Key && left(Key, LastModified)) await this.delete(Key);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      for (const [uploadId, key] of this.#uploads) await this.abort(uploadId, key);
      for (const { key, versionId } of this.#versions) await this.delete(key, versionId);
      for (const key of this.#objects) {
        if (this.#mayDelete) await this.delete(key);
        else await this.#empty(key);
      }
    } catch (error) {
      // The store went away meanwhile: what is left is small, and the next probe sweeps it.
      if (!(error instanceof StoreError)) throw error;
    }
  }

  /** An object that cannot be deleted is made as small as it gets. */
  async #empty(key: string): Promise<void> {
    await this.put({ key, query: {}, headers: {}, body: Buffer.alloc(0), signed: true });
  }
}
