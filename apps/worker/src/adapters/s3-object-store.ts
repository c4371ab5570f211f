/**
 * The domain's object store on S3's own commands. Every reply's shape is checked; what only looks like success is not
 * called success, and what failed says whether it may have been carried out all the same.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompleteMultipartUploadCommandInput,
  type PutObjectCommandInput,
} from "@aws-sdk/client-s3";
import {
  type CompleteOutcome,
  type CompleteRequest,
  type Condition,
  type Head,
  LIMITS,
  type Listing,
  type ObjectHeaders,
  type ObjectRef,
  type ObjectStore,
  type OpenUpload,
  type PartBody,
  type PartOutcome,
  type PartRequest,
  type PutOutcome,
  type PutRequest,
  StoreError,
  type UploadRef,
  crc32ToBase64,
} from "@sluice/core";
import { attributeFields, type ObjectAttributes } from "./s3-attributes.ts";
import { S3Caller, type CallOptions } from "./s3-caller.ts";
import { type BodyDigests, crcOnly, digestOf, md5Only, UploadChecksums } from "./s3-checksums.ts";
import { type S3Connection, unsigned } from "./s3-client.ts";
import type { S3Failure } from "./s3-errors.ts";
import { listParts, listUploads } from "./s3-listings.ts";
import type { S3Profile } from "./s3-profiles.ts";
import { readObject } from "./s3-read.ts";
import { RangeBody } from "./s3-request-body.ts";
import { badReply, headOf, unquoted } from "./s3-replies.ts";

export interface S3StoreOptions extends ObjectAttributes {
  profile: S3Profile;
  /** A prefix the worker has rights on: there the bucket is asked whether it answers at all. */
  prefix: string;
}

/** Names of "this upload is not open": S3's own, and those of stores that take it for a missing key. */
const UPLOAD_GONE = new Set(["NoSuchUpload", "NoSuchKey", "NotFound", "HTTP404"]);
const REFUSED_PARTS = new Set(["InvalidPart", "InvalidPartOrder", "EntityTooSmall"]);
/** Aborts sent until the upload is gone: a part in flight may land after one. */
const ABORTS = 5;

export class S3ObjectStore implements ObjectStore {
  readonly profile: S3Profile;
  readonly #caller: S3Caller;
  readonly #attributes: ObjectAttributes;
  readonly #checksums: UploadChecksums;

  constructor(connection: S3Connection, options: S3StoreOptions) {
    this.profile = options.profile;
    this.#attributes = options;
    this.#caller = new S3Caller(connection, options.prefix);
    this.#checksums = new UploadChecksums(options.profile.checksum);
  }

  async head(ref: ObjectRef): Promise<Head> {
    const wantsChecksum = this.#checksums.created.kind === "crc32";
    const input = {
      Bucket: ref.bucket,
      Key: ref.key,
      ...(wantsChecksum && { ChecksumMode: "ENABLED" as const }),
    };
    const call = control("HeadObject", ref);
    try {
      return await this.#caller.call<Head>(
        call,
        async (options) =>
          headOf(await this.#caller.client.send(new HeadObjectCommand(input), options), call.what),
        (failure) =>
          failure.status === 404 && failure.code !== "NoSuchBucket" ? { kind: "missing" } : undefined,
      );
    } catch (error) {
      // The bucket answers: 403 is how this store says "missing" as well as "denied".
      const denied = error instanceof StoreError && error.trouble === "denied";
      if (denied && !this.profile.headMissingIs404) return { kind: "unknown" };
      throw error;
    }
  }

  async put(ref: ObjectRef, request: PutRequest): Promise<PutOutcome> {
    const { body, crc, condition } = request;
    const digests = await this.#digests({ kind: "bytes", bytes: body }, crc, this.profile.checksum);
    const input: PutObjectCommandInput = {
      Bucket: ref.bucket,
      Key: ref.key,
      Body: asBuffer(body),
      ContentLength: body.length,
      ...sentDigests(digests),
      ...attributeFields(request, this.#attributes),
      ...conditionFields(condition),
    };
    const call = {
      ...control("PutObject", ref),
      mutating: true,
      deadlineMs: this.#caller.bodyDeadlineMs(body.length),
    };
    return await this.#caller.call<PutOutcome>(
      call,
      async (options) => {
        const reply = await this.#caller.client.send(new PutObjectCommand(this.#payload(input)), options);
        const etag = unquoted(reply.ETag);
        if (etag === undefined) throw badReply(call.what, "a stored object without an ETag");
        return {
          kind: "stored",
          etag,
          verified: this.#verified(call.what, reply.ChecksumCRC32, etag, digests),
        };
      },
      (failure) => (isConflict(failure, condition) ? { kind: "conflict" } : undefined),
    );
  }

  async createUpload(ref: ObjectRef, headers: ObjectHeaders): Promise<string> {
    const { created } = this.#checksums;
    const input = {
      Bucket: ref.bucket,
      Key: ref.key,
      ...attributeFields(headers, this.#attributes),
      ...(created.kind === "crc32" && { ChecksumAlgorithm: "CRC32" as const, ChecksumType: created.type }),
    };
    const call = { ...control("CreateMultipartUpload", ref), mutating: true };
    return await this.#caller.call(call, async (options) => {
      const { UploadId } = await this.#caller.client.send(new CreateMultipartUploadCommand(input), options);
      if (UploadId === undefined || UploadId === "") throw badReply(call.what, "an upload without an id");
      this.#checksums.learn(UploadId, created);
      return UploadId;
    });
  }

  async uploadPart(ref: UploadRef, partNumber: number, request: PartRequest): Promise<PartOutcome> {
    const { body, crc, signal } = request;
    const bytes = body.kind === "bytes" ? body.bytes.length : body.bytes;
    const own = this.#checksums.of(ref.uploadId);
    const digests = await this.#partDigests(own, body, crc);
    const sha256 =
      body.kind === "range" && !this.profile.unsignedPayload
        ? (await digestOf(body, "sha256")).toString("hex")
        : undefined;
    const input = {
      ...uploadFields(ref),
      PartNumber: partNumber,
      ContentLength: bytes,
      Body: body.kind === "bytes" ? asBuffer(body.bytes) : (new RangeBody(bytes, body.open, sha256) as never),
      ...sentDigests(digests),
      ...(own.kind === "other" && { ChecksumAlgorithm: own.algorithm as never }),
    };
    const call: CallOptions = {
      ...control(`UploadPart ${partNumber}`, ref),
      mutating: true,
      unbounded: true,
      deadlineMs: this.#caller.bodyDeadlineMs(bytes),
      ...(signal && { abortSignal: signal }),
    };
    return await this.#caller.call<PartOutcome>(
      call,
      async (options) => {
        const reply = await this.#caller.client.send(new UploadPartCommand(this.#payload(input)), options);
        const etag = unquoted(reply.ETag);
        if (etag === undefined) throw badReply(call.what, "a part without an ETag");
        this.#verified(call.what, reply.ChecksumCRC32, etag, digests);
        return { kind: "stored", etag };
      },
      (failure) => {
        if (isGone(failure)) return { kind: "gone" };
        if (isChecksumMismatch(failure))
          this.#checksums.learn(ref.uploadId, otherWay(own, this.#checksums.created));
        return undefined;
      },
    );
  }

  async listParts(ref: UploadRef): Promise<Listing> {
    return await listParts(this.#caller, ref, control("ListParts", ref), this.#checksums);
  }

  async complete(ref: UploadRef, request: CompleteRequest): Promise<CompleteOutcome> {
    const call: CallOptions = {
      ...control("CompleteMultipartUpload", ref),
      mutating: true,
      deadlineMs: LIMITS.storeCompleteMs,
      keptAliveByBytes: true,
    };
    const input = await this.#completeInput(ref, request);
    const outcome = await this.#caller.call<CompleteOutcome>(
      call,
      async (options) => {
        const reply = await this.#caller.client.send(new CompleteMultipartUploadCommand(input), options);
        const version = reply.VersionId;
        return { kind: "completed", etag: unquoted(reply.ETag), ...(version !== undefined && { version }) };
      },
      (failure) => {
        if (REFUSED_PARTS.has(failure.code)) return { kind: "invalid_part", detail: failure.message };
        if (isConflict(failure, request.condition)) return { kind: "conflict" };
        return isGone(failure) ? { kind: "gone" } : undefined;
      },
    );
    if (outcome.kind === "completed" && outcome.etag !== undefined) this.#checksums.forget(ref.uploadId);
    return outcome;
  }

  async abort(ref: UploadRef): Promise<void> {
    for (let attempt = 1; attempt <= ABORTS; attempt += 1) {
      const gone = await this.#caller.call(
        control("AbortMultipartUpload", ref),
        async (options) => {
          await this.#caller.client.send(new AbortMultipartUploadCommand(uploadFields(ref)), options);
          return false;
        },
        (failure) => (isGone(failure) ? true : undefined),
      );
      const left = gone ? { kind: "gone" as const } : await this.listParts(ref);
      if (left.kind === "gone" || left.parts.length === 0) {
        this.#checksums.forget(ref.uploadId);
        return;
      }
    }
    throw new StoreError({
      trouble: "unreachable",
      code: "AbortIncomplete",
      message: `the upload at ${ref.key} still has parts after ${ABORTS} aborts`,
    });
  }

  listUploads(bucket: string, prefix: string): AsyncIterable<OpenUpload> {
    return listUploads(this.#caller, bucket, prefix, this.profile.listsUploadsByPrefix);
  }

  read(ref: ObjectRef, range?: { from: number; to: number }): AsyncIterable<Uint8Array> {
    return readObject(this.#caller, control("GetObject", ref), ref, range);
  }

  #payload<T extends object>(input: T): T {
    return this.profile.unsignedPayload ? unsigned(input) : input;
  }

  async #digests(body: PartBody, crc: number, mode: S3Profile["checksum"]): Promise<BodyDigests> {
    if (mode === "off") return {};
    return mode === "md5" ? await md5Only(body) : crcOnly(crc);
  }

  /** A part proves itself the way its upload was created with; one without a way, by Content-MD5. */
  async #partDigests(
    own: ReturnType<UploadChecksums["of"]>,
    body: PartBody,
    crc: number,
  ): Promise<BodyDigests> {
    if (own.kind === "crc32") return crcOnly(crc);
    if (own.kind === "other" || this.profile.checksum === "off") return {};
    return await md5Only(body);
  }

  /** Whether the reply proves the bytes. A reply that disproves them is an error: they are to be sent again. */
  #verified(what: string, crc32: string | undefined, etag: string, sent: BodyDigests): boolean {
    const crcKnown = crc32 !== undefined && sent.ChecksumCRC32 !== undefined;
    const md5Known = this.profile.etagIsMd5 && sent.md5 !== undefined;
    if ((crcKnown && crc32 !== sent.ChecksumCRC32) || (md5Known && etag !== sent.md5)) {
      throw new StoreError({
        trouble: "garbled",
        code: "ReplyMismatch",
        message: `${what}: stored other bytes than were sent`,
      });
    }
    return crcKnown || md5Known;
  }

  async #completeInput(
    ref: UploadRef,
    request: CompleteRequest,
  ): Promise<CompleteMultipartUploadCommandInput> {
    const own = this.#checksums.of(ref.uploadId);
    const composite = own.kind === "crc32" && own.type === "COMPOSITE";
    const listed = composite || (own.kind === "crc32" && this.profile.checksumsInComplete);
    const whole = own.kind === "crc32" && own.type === "FULL_OBJECT" && request.crc !== undefined;
    return {
      ...uploadFields(ref),
      ...conditionFields(request.condition),
      MultipartUpload: {
        Parts: request.parts.map(({ PartNumber, ETag, ChecksumCRC32 }) =>
          listed && ChecksumCRC32 !== undefined ? { PartNumber, ETag, ChecksumCRC32 } : { PartNumber, ETag },
        ),
      },
      ...(whole && { ChecksumCRC32: crc32ToBase64(request.crc ?? 0), ChecksumType: "FULL_OBJECT" as const }),
      ...(this.profile.objectSizeInComplete && { MpuObjectSize: request.size }),
    };
  }
}

function control(operation: string, { bucket, key }: ObjectRef): CallOptions {
  return { what: `${operation} ${key}`, bucket, deadlineMs: LIMITS.storeControlMs };
}

function uploadFields(ref: UploadRef) {
  return { Bucket: ref.bucket, Key: ref.key, UploadId: ref.uploadId };
}

function conditionFields(condition: Condition): { IfNoneMatch?: string; IfMatch?: string } {
  if (condition === undefined) return {};
  return "ifMatch" in condition ? { IfMatch: `"${condition.ifMatch}"` } : { IfNoneMatch: "*" };
}

function sentDigests({ ChecksumCRC32, ContentMD5 }: BodyDigests) {
  return {
    ...(ChecksumCRC32 !== undefined && { ChecksumCRC32 }),
    ...(ContentMD5 !== undefined && { ContentMD5 }),
  };
}

function isConflict({ status, code }: S3Failure, condition: Condition): boolean {
  if (condition === undefined || code === "OperationAborted") return false;
  // If-Match at a key where nothing stands any more is answered with 404.
  return status === 412 || status === 409 || ("ifMatch" in condition && code === "NoSuchKey");
}

/** A 404 page of a proxy is not S3's word on an upload. */
function isGone({ status, code, headers }: S3Failure): boolean {
  return status === 404 && UPLOAD_GONE.has(code) && !/text\/html/.test(headers["content-type"] ?? "");
}

/** "Checksum Type mismatch occurred, expected checksum Type: null, actual checksum Type: crc32" */
function isChecksumMismatch({ status, code, message }: S3Failure): boolean {
  return status === 400 && code === "InvalidRequest" && /checksum/i.test(message);
}

function otherWay(
  own: ReturnType<UploadChecksums["of"]>,
  created: UploadChecksums["created"],
): UploadChecksums["created"] {
  return own.kind === "none" ? created : { kind: "none" };
}

/** The same memory, not a copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
