/**
 * The core's object store on S3's own commands: each method builds its request, maps the refusals that are outcomes of
 * it, and accepts a reply only if it has the required content (replies.ts). An apparent success is not reported as
 * success; a failure says whether it may have been carried out anyway.
 *
 *   createUpload ─► uploadPart … ─► complete ─► completed | conflict | gone | invalid_part
 *                       │   ▲            │
 *                       │   └ listParts ◄┘ finds the outcome of a request whose reply was lost
 *                       ├─► copyPart: a range of an existing object ─► copied | source_changed | refused
 *                       └─► abort ─► gone: repeated until no part is left
 *   put ─► stored | conflict        head ─► found | missing | unknown        read, listUploads
 *
 * The checksum setting of an upload applies to its parts and its Complete (checksums.ts). Nothing here retries, except
 * abort.
 */
import type { IncomingMessage } from "node:http";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  type CompleteMultipartUploadCommandOutput,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type ListPartsCommandOutput,
  UploadPartCopyCommand,
  type UploadPartCopyCommandOutput,
} from "@aws-sdk/client-s3";
import {
  type ByteSpan,
  type CompleteOutcome,
  type CompleteRequest,
  type Condition,
  type CopyOutcome,
  type CopyRequest,
  crc32ToBase64,
  type CreatedUpload,
  type Demotion,
  type Head,
  LIMITS,
  type ListedPart,
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
} from "@sluice/core";
import { attributeFields, attributeHeaders, type ObjectAttributes } from "./attributes.ts";
import { RangeBody } from "./body.ts";
import { digestHeaders, digestOf, digestsOf, UploadChecksums } from "./checksums.ts";
import type { S3Connection } from "./connection.ts";
import { failureOf, type S3Failure, storeError } from "./errors.ts";
import type { S3Profile } from "./profiles.ts";
import {
  abortsAt,
  badReply,
  copySource,
  decodeKey,
  foundObject,
  listedPart,
  listedUploads,
  openUpload,
  pagingStuck,
  storedBody,
  unquoted,
} from "./replies.ts";
import { type Call, type Reading, S3Requests } from "./requests.ts";
import { TransportError } from "./transport.ts";
import type { Asked, StoreRequest } from "./verdict.ts";

export interface S3StoreOptions extends ObjectAttributes {
  profile: S3Profile;
  /** SLUICE_S3_KEY_PREFIX: requests that check the bucket use keys below it. */
  prefix: string;
  /** The profile was changed during uploads: log and save it. */
  onDemoted?: (change: Demotion, because: string) => Promise<void>;
}

/** Maximum number of aborts until the upload is gone: a part in flight may arrive after one. */
const ABORTS = 5;

export class S3ObjectStore implements ObjectStore {
  readonly profile: S3Profile;
  readonly #connection: S3Connection;
  readonly #requests: S3Requests;
  readonly #attributes: ObjectAttributes;
  readonly #checksums: UploadChecksums;
  readonly #onDemoted: S3StoreOptions["onDemoted"];

  constructor(connection: S3Connection, options: S3StoreOptions) {
    const { profile, prefix, onDemoted } = options;
    this.profile = profile;
    this.#connection = connection;
    this.#requests = new S3Requests(connection, { prefix, headMissingIs404: profile.headMissingIs404 });
    this.#attributes = options;
    this.#checksums = new UploadChecksums(profile.checksum);
    this.#onDemoted = onDemoted;
  }

  /** The SDK measures it from the Date of every reply, and uses it for signing. */
  get clockSkewMs(): number {
    return this.#connection.config.systemClockOffset;
  }

  async demote(change: Demotion, because: string): Promise<void> {
    Object.assign(this.profile, change);
    await this.#onDemoted?.(change, because);
  }

  async head(ref: ObjectRef): Promise<Head> {
    const input = {
      Bucket: ref.bucket,
      Key: ref.key,
      ...(this.#checksums.created.kind === "crc32" && { ChecksumMode: "ENABLED" as const }),
    };
    const call = control("HeadObject", ref);
    try {
      return await this.#requests.send(call, new HeadObjectCommand(input), {
        reply: (reply) => foundObject(reply, call.what),
        missing: () => ({ kind: "missing" }),
      });
    } catch (error) {
      // The bucket answers, so this store's 403 may mean "missing" as well as "denied".
      const denied = error instanceof StoreError && error.trouble === "denied";
      if (denied && !this.profile.headMissingIs404) return { kind: "unknown" };
      throw error;
    }
  }

  async put(ref: ObjectRef, request: PutRequest): Promise<PutOutcome> {
    const { body, crc, condition } = request;
    const { checksum, unsignedPayload, wrongChecksumCodes } = this.profile;
    const proof = checksum === "off" ? "nothing" : checksum === "md5" ? "md5" : "crc32";
    const digests = await digestsOf({ kind: "bytes", bytes: body }, crc, proof);
    const call: Call = {
      ...control("PutObject", ref),
      asked: { request: "PutObject", condition: conditionName(condition), wrongChecksumCodes },
      mutating: true,
      deadlineMs: this.#requests.bodyDeadlineMs(body.length),
    };
    const headers = {
      ...attributeHeaders(attributeFields(request, this.#attributes)),
      ...conditionHeaders(this.profile, condition),
      ...digestHeaders(digests),
    };
    const sent = { bucket: ref.bucket, key: ref.key, query: {}, headers, body, signed: !unsignedPayload };
    return await this.#requests.put<PutOutcome>(call, sent, {
      reply: (reply) => ({ kind: "stored", ...storedBody(this.profile, call.what, reply, digests) }),
      conflict: () => ({ kind: "conflict" }),
    });
  }

  async createUpload(ref: ObjectRef, headers: ObjectHeaders): Promise<CreatedUpload> {
    const { created } = this.#checksums;
    const input = {
      Bucket: ref.bucket,
      Key: ref.key,
      ...attributeFields(headers, this.#attributes),
      ...(created.kind === "crc32" && { ChecksumAlgorithm: "CRC32" as const, ChecksumType: created.type }),
    };
    const call: Call = { ...control("CreateMultipartUpload", ref), mutating: true };
    return await this.#requests.send(call, new CreateMultipartUploadCommand(input), {
      reply: ({ UploadId, AbortDate }) => {
        if (UploadId === undefined || UploadId === "") throw badReply(call.what, "an upload without an id");
        this.#checksums.learn(UploadId, created);
        return { uploadId: UploadId, ...abortsAt(AbortDate) };
      },
    });
  }

  /** The bytes are sent from where they are, never copied. */
  async uploadPart(ref: UploadRef, partNumber: number, request: PartRequest): Promise<PartOutcome> {
    const { body, crc, signal } = request;
    const { checksum, unsignedPayload, wrongChecksumCodes } = this.profile;
    // A part is verified in the way its upload was created with; if there is none, by MD5.
    const byCrc = this.#checksums.of(ref.uploadId).kind === "crc32";
    const digests = await digestsOf(body, crc, byCrc ? "crc32" : checksum === "off" ? "nothing" : "md5");
    const bytes = body.kind === "bytes" ? body.bytes.length : body.bytes;
    const call: Call = {
      ...control("UploadPart", ref),
      what: `UploadPart ${partNumber} ${ref.key}`,
      asked: { request: "UploadPart", wrongChecksumCodes },
      mutating: true,
      turn: "none",
      deadlineMs: this.#requests.bodyDeadlineMs(bytes),
      ...(signal && { abortSignal: signal }),
    };
    const sent = {
      bucket: ref.bucket,
      key: ref.key,
      query: { partNumber: String(partNumber), uploadId: ref.uploadId },
      headers: digestHeaders(digests),
      body: await payload(this.profile, body),
      signed: !unsignedPayload,
    };
    return await this.#requests.put<PartOutcome>(call, sent, {
      reply: (reply) => ({
        kind: "stored",
        etag: storedBody(this.profile, call.what, reply, digests).etag,
      }),
      gone: () => ({ kind: "gone" }),
      refused: (failure) => this.#learnFrom(failure, ref),
    });
  }

  /** May take as long as Complete: the store moves the bytes before it answers. */
  async copyPart(ref: UploadRef, partNumber: number, request: CopyRequest): Promise<CopyOutcome> {
    const { source, ifMatch, range, signal } = request;
    const call: Call = {
      ...control("UploadPartCopy", ref),
      what: `UploadPartCopy ${partNumber} ${ref.key}`,
      mutating: true,
      turn: "none",
      deadlineMs: LIMITS.storeCompleteMs,
      keptAliveByBytes: true,
      ...(signal && { abortSignal: signal }),
    };
    const input = {
      ...uploadFields(ref),
      PartNumber: partNumber,
      CopySource: copySource(source),
      CopySourceRange: `bytes=${range.first}-${range.last}`,
      CopySourceIfMatch: `"${ifMatch}"`,
    };
    const reading: Reading<UploadPartCopyCommandOutput, CopyOutcome> = {
      // A 200 may contain an error, or nothing.
      reply: ({ CopyPartResult: copied }) => {
        const etag = unquoted(copied?.ETag);
        if (etag === undefined) throw badReply(call.what, "a copy without an ETag");
        const crc32 = copied?.ChecksumCRC32;
        return { kind: "copied", etag, ...(crc32 !== undefined && { crc32 }) };
      },
      source_changed: () => ({ kind: "source_changed" }),
      not_copied: ({ code, message }) => ({ kind: "refused", detail: `${code}: ${message}` }),
      gone: () => ({ kind: "gone" }),
    };
    return await this.#requests.send(call, new UploadPartCopyCommand(input), reading);
  }

  /** Page by page to the end; a store whose pages repeat is detected. */
  async listParts(ref: UploadRef): Promise<Listing> {
    const call = control("ListParts", ref);
    const reading: Reading<ListPartsCommandOutput, ListPartsCommandOutput | "gone"> = {
      reply: asItIs,
      gone: () => "gone",
    };
    const parts: ListedPart[] = [];
    for (let marker: string | undefined; ;) {
      const input = {
        ...uploadFields(ref),
        ...(marker !== undefined && { PartNumberMarker: marker }),
      };
      const page = await this.#requests.send(call, new ListPartsCommand(input), reading);
      if (page === "gone") {
        this.#checksums.forget(ref.uploadId);
        return { kind: "gone" };
      }
      if (page.UploadId !== ref.uploadId) throw badReply(call.what, "no list of this upload's parts");
      this.#checksums.learnListed(ref.uploadId, page.ChecksumAlgorithm, page.ChecksumType);
      for (const part of page.Parts ?? []) parts.push(listedPart(part, call.what));
      if (page.IsTruncated !== true) return { kind: "alive", parts, ...abortsAt(page.AbortDate) };
      const next = page.NextPartNumberMarker ?? String(parts.at(-1)?.PartNumber ?? 0);
      if (Number(next) <= Number(marker ?? 0)) throw pagingStuck(call.what, next);
      marker = next;
    }
  }

  async complete(ref: UploadRef, request: CompleteRequest): Promise<CompleteOutcome> {
    const call: Call = {
      ...control("CompleteMultipartUpload", ref),
      asked: { request: "CompleteMultipartUpload", condition: conditionName(request.condition) },
      mutating: true,
      turn: "complete",
      deadlineMs: LIMITS.storeCompleteMs,
      keptAliveByBytes: true,
    };
    const reading: Reading<CompleteMultipartUploadCommandOutput, CompleteOutcome | InProgress> = {
      reply: ({ ETag, VersionId }) => ({
        kind: "completed",
        etag: unquoted(ETag),
        ...(VersionId !== undefined && { version: VersionId }),
      }),
      invalid_part: ({ message }) => ({ kind: "invalid_part", detail: message }),
      in_progress: (failure) => ({ kind: "in_progress", failure }),
      conflict: () => ({ kind: "conflict" }),
      gone: () => ({ kind: "gone" }),
      refused: (failure) => this.#learnFrom(failure, ref),
    };
    const command = new CompleteMultipartUploadCommand(this.#completeInput(ref, request));
    const outcome = await this.#requests.send(call, command, reading);
    if (outcome.kind === "in_progress") {
      // Ceph 16 keeps saying so of an upload that was aborted, or whose object was deleted since.
      if ((await this.listParts(ref)).kind === "gone") return { kind: "gone" };
      throw storeError(outcome.failure, call.what, true);
    }
    if (outcome.kind === "completed" && outcome.etag !== undefined) this.#checksums.forget(ref.uploadId);
    return outcome;
  }

  #completeInput(ref: UploadRef, request: CompleteRequest): CompleteMultipartUploadCommandInput {
    const { checksumsInComplete, objectSizeInComplete } = this.profile;
    const own = this.#checksums.of(ref.uploadId);
    const composite = own.kind === "crc32" && own.type === "COMPOSITE";
    const listed = composite || (own.kind === "crc32" && checksumsInComplete);
    const whole = own.kind === "crc32" && own.type === "FULL_OBJECT" ? request.crc : undefined;
    return {
      ...uploadFields(ref),
      ...conditionFields(this.profile, request.condition),
      MultipartUpload: {
        Parts: request.parts.map(({ PartNumber, ETag, ChecksumCRC32 }) =>
          listed && ChecksumCRC32 !== undefined
            ? { PartNumber, ETag: `"${ETag}"`, ChecksumCRC32 }
            : { PartNumber, ETag: `"${ETag}"` },
        ),
      },
      ...(whole !== undefined && { ChecksumCRC32: crc32ToBase64(whole), ChecksumType: "FULL_OBJECT" }),
      ...(objectSizeInComplete && { MpuObjectSize: request.size }),
    };
  }

  async abort(ref: UploadRef): Promise<void> {
    // If ListParts keeps answering for an aborted upload, its parts are no reason to abort repeatedly.
    const attempts = this.profile.listPartsEndsWithAbort ? ABORTS : 2;
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      if (await this.#abortOnce(ref)) {
        this.#checksums.forget(ref.uploadId);
        return;
      }
    }
    if (!(await this.#isListed(ref))) return;
    throw new StoreError({
      trouble: "rejected",
      code: "AbortIncomplete",
      message: `the upload at ${ref.key} still has parts after ${attempts} aborts`,
    });
  }

  /** Returns whether the upload has ended. */
  async #abortOnce(ref: UploadRef): Promise<boolean> {
    const command = new AbortMultipartUploadCommand(uploadFields(ref));
    const gone: boolean = await this.#requests.send(control("AbortMultipartUpload", ref), command, {
      reply: () => false,
      gone: () => true,
    });
    if (gone) return true;
    const left = await this.listParts(ref);
    return left.kind === "gone" || left.parts.length === 0;
  }

  async #isListed(ref: UploadRef): Promise<boolean> {
    for await (const upload of this.listUploads(ref.bucket, ref.key)) {
      if (upload.key === ref.key && upload.uploadId === ref.uploadId) return true;
    }
    return false;
  }

  /** Some stores take a prefix for a whole key, so the query covers both and the result is filtered here. */
  async *listUploads(bucket: string, prefix: string): AsyncIterable<OpenUpload> {
    const byPrefix = this.profile.listsUploadsByPrefix;
    const seen = new Set<string>();
    for (const asked of byPrefix || prefix === "" ? [prefix] : [prefix, ""]) {
      for await (const upload of this.#uploadPages(bucket, asked)) {
        const id = `${upload.uploadId} ${upload.key}`;
        if (!upload.key.startsWith(prefix) || seen.has(id)) continue;
        if (!byPrefix) seen.add(id);
        yield upload;
      }
    }
  }

  async *#uploadPages(bucket: string, prefix: string): AsyncIterable<OpenUpload> {
    const call = control("ListMultipartUploads", { bucket, key: prefix });
    const markers = new Set<string>();
    let encoding: { EncodingType?: "url" } = { EncodingType: "url" };
    for (let marker: { KeyMarker?: string; UploadIdMarker?: string } = {}; ;) {
      const input = { Bucket: bucket, Prefix: prefix, ...encoding, ...marker };
      const page = await this.#requests.send(call, new ListMultipartUploadsCommand(input), {
        reply: (reply) => listedUploads(reply, call.what),
      });
      if (encoding.EncodingType !== undefined && page.EncodingType === undefined && page.Uploads?.length) {
        // Some encode without saying so (Ceph 16), some do not encode (VersityGW): then unencoded keys are requested.
        encoding = {};
        continue;
      }
      const decode = page.EncodingType === "url" ? decodeKey : (key: string) => key;
      for (const upload of page.Uploads ?? []) yield openUpload(upload, decode, call.what);
      if (page.IsTruncated !== true) return;
      const KeyMarker = decode(page.NextKeyMarker ?? "");
      const UploadIdMarker = page.NextUploadIdMarker ?? "";
      const id = `${UploadIdMarker} ${KeyMarker}`;
      if (markers.has(id) || (KeyMarker === "" && UploadIdMarker === "")) throw pagingStuck(call.what, id);
      markers.add(id);
      marker = { KeyMarker, ...(UploadIdMarker !== "" && { UploadIdMarker }) };
    }
  }

  /** Yields as many bytes as were requested, or rejects: a connection that ends early is not an end. */
  async *read(ref: ObjectRef, range?: ByteSpan): AsyncIterable<Uint8Array> {
    const input = {
      Bucket: ref.bucket,
      Key: ref.key,
      ...(range && { Range: `bytes=${range.first}-${range.last}` }),
    };
    const call: Call = { ...control("GetObject", ref), streamReply: true };
    using _slot = await this.#requests.reads.take();
    const reply = await this.#requests.send(call, new GetObjectCommand(input), { reply: asItIs });
    const body = reply.Body as IncomingMessage | undefined;
    if (body === undefined) throw badReply(call.what, "no body");
    try {
      if (range && !reply.ContentRange?.startsWith(`bytes ${range.first}-`))
        throw badReply(call.what, "another range");
      let left = reply.ContentLength ?? Number.NaN;
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        left -= chunk.length;
        yield chunk;
      }
      if (left !== 0) throw badReply(call.what, `a body of another length than it said (${left} bytes off)`);
    } catch (error) {
      throw error instanceof StoreError ? error : brokenRead(error, call.what);
    } finally {
      // Also when the reader stops early: the rest is not needed.
      body.destroy();
    }
  }

  /**
   * The store refused a body or a Complete because of the kind of its checksum: the next attempt tries the next kind.
   */
  #learnFrom(failure: S3Failure, { uploadId }: UploadRef): void {
    if (isChecksumMismatch(failure)) this.#checksums.contradicted(uploadId);
  }
}

interface InProgress {
  kind: "in_progress";
  failure: S3Failure;
}

function asItIs<O>(reply: O): O {
  return reply;
}

function control(request: StoreRequest, { bucket, key }: ObjectRef): Call {
  return { what: `${request} ${key}`, bucket, deadlineMs: LIMITS.storeControlMs, asked: { request } };
}

function uploadFields(ref: UploadRef) {
  return { Bucket: ref.bucket, Key: ref.key, UploadId: ref.uploadId };
}

function conditionName(condition: Condition): Asked["condition"] {
  return condition === undefined ? undefined : "ifMatch" in condition ? "if-match" : "if-none-match";
}

function conditionFields(
  { bareEtagInConditions = false }: S3Profile,
  condition: Condition,
): { IfNoneMatch?: string; IfMatch?: string } {
  if (condition === undefined) return {};
  if (!("ifMatch" in condition)) return { IfNoneMatch: "*" };
  return { IfMatch: bareEtagInConditions ? condition.ifMatch : `"${condition.ifMatch}"` };
}

/** The same as headers. */
function conditionHeaders(profile: S3Profile, condition: Condition): Record<string, string> {
  const { IfMatch, IfNoneMatch } = conditionFields(profile, condition);
  return {
    ...(IfMatch !== undefined && { "if-match": IfMatch }),
    ...(IfNoneMatch !== undefined && { "if-none-match": IfNoneMatch }),
  };
}

/** A range is hashed beforehand if the signature must cover it, which costs one more read. */
async function payload({ unsignedPayload }: S3Profile, body: PartBody): Promise<Uint8Array | RangeBody> {
  if (body.kind === "bytes") return body.bytes;
  const sha256 = unsignedPayload ? undefined : (await digestOf(body, "sha256")).toString("hex");
  return new RangeBody(body.bytes, body.open, sha256);
}

/** "Checksum Type mismatch occurred, expected checksum Type: null, actual checksum Type: crc32", and similar. */
function isChecksumMismatch({ status, code, message }: S3Failure): boolean {
  return status === 400 && code === "InvalidRequest" && /checksum (type|mode|for each part)/i.test(message);
}

function brokenRead(error: unknown, what: string): unknown {
  const message = error instanceof Error ? error.message : String(error);
  const failure = failureOf(error) ?? failureOf(new TransportError("ConnectionLost", message, true, error));
  return failure ? storeError(failure, what, false) : error;
}
