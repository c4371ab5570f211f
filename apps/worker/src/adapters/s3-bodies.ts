/** Bytes on their way into the store: sent from where they lie, never copied, proven on arrival where the store can. */
import {
  PutObjectCommand,
  type PutObjectCommandInput,
  UploadPartCommand,
  type UploadPartCommandInput,
} from "@aws-sdk/client-s3";
import {
  type ObjectRef,
  type PartBody,
  type PartOutcome,
  type PartRequest,
  type PutOutcome,
  type PutRequest,
  StoreError,
  type UploadRef,
} from "@sluice/core";
import { attributeFields } from "./s3-attributes.ts";
import type { CallOptions } from "./s3-caller.ts";
import { type BodyDigests, crcOnly, digestOf, md5Only, type UploadChecksum } from "./s3-checksums.ts";
import { unsigned } from "./s3-client.ts";
import type { S3Failure } from "./s3-errors.ts";
import type { S3Profile } from "./s3-profiles.ts";
import { badReply, unquoted } from "./s3-replies.ts";
import { conditionFields, control, isConflict, isGone, type S3Context, uploadFields } from "./s3-requests.ts";
import { RangeBody } from "./s3-request-body.ts";

export async function putObject(
  context: S3Context,
  ref: ObjectRef,
  request: PutRequest,
): Promise<PutOutcome> {
  const { caller, profile, attributes } = context;
  const { body, crc, condition } = request;
  const digests = await wholeDigests(profile, body, crc);
  const input: PutObjectCommandInput = {
    Bucket: ref.bucket,
    Key: ref.key,
    Body: asBuffer(body),
    ContentLength: body.length,
    ...sentDigests(digests),
    ...attributeFields(request, attributes),
    ...conditionFields(condition),
  };
  if (profile.unsignedPayload) unsigned(input);
  const call: CallOptions = {
    ...control("PutObject", ref),
    mutating: true,
    deadlineMs: caller.bodyDeadlineMs(body.length),
  };
  return await caller.call<PutOutcome>(
    call,
    async (options) => {
      const reply = await caller.client.send(new PutObjectCommand(input), options);
      const etag = unquoted(reply.ETag);
      if (etag === undefined) throw badReply(call.what, "a stored object without an ETag");
      return {
        kind: "stored",
        etag,
        verified: isVerified(profile, call.what, reply.ChecksumCRC32, etag, digests),
      };
    },
    (failure) => (isConflict(failure, condition) ? { kind: "conflict" } : undefined),
  );
}

export async function uploadPart(
  context: S3Context,
  ref: UploadRef,
  partNumber: number,
  { body, crc, signal }: PartRequest,
): Promise<PartOutcome> {
  const { caller, profile, checksums } = context;
  const own = checksums.of(ref.uploadId);
  const digests = await partDigests(profile, own, body, crc);
  const bytes = body.kind === "bytes" ? body.bytes.length : body.bytes;
  const input: UploadPartCommandInput = {
    ...uploadFields(ref),
    PartNumber: partNumber,
    ContentLength: bytes,
    Body: await payload(profile, body),
    ...sentDigests(digests),
    ...(own.kind === "other" && { ChecksumAlgorithm: own.algorithm }),
  };
  if (profile.unsignedPayload) unsigned(input);
  const call: CallOptions = {
    ...control(`UploadPart ${partNumber}`, ref),
    mutating: true,
    unbounded: true,
    deadlineMs: caller.bodyDeadlineMs(bytes),
    ...(signal && { abortSignal: signal }),
  };
  return await caller.call<PartOutcome>(
    call,
    async (options) => {
      const reply = await caller.client.send(new UploadPartCommand(input), options);
      const etag = unquoted(reply.ETag);
      if (etag === undefined) throw badReply(call.what, "a part without an ETag");
      isVerified(profile, call.what, reply.ChecksumCRC32, etag, digests);
      return { kind: "stored", etag };
    },
    (failure) => {
      if (isGone(failure)) return { kind: "gone" };
      if (isChecksumMismatch(failure)) checksums.contradicted(ref.uploadId);
      return undefined;
    },
  );
}

async function payload(
  profile: S3Profile,
  body: PartBody,
): Promise<NonNullable<UploadPartCommandInput["Body"]>> {
  if (body.kind === "bytes") return asBuffer(body.bytes);
  const sha256 = profile.unsignedPayload ? undefined : (await digestOf(body, "sha256")).toString("hex");
  // The SDK hands a body it does not know to the transport as it is, which is ours.
  return new RangeBody(body.bytes, body.open, sha256) as unknown as NonNullable<
    UploadPartCommandInput["Body"]
  >;
}

async function wholeDigests({ checksum }: S3Profile, bytes: Uint8Array, crc: number): Promise<BodyDigests> {
  if (checksum === "off") return {};
  return checksum === "md5" ? await md5Only({ kind: "bytes", bytes }) : crcOnly(crc);
}

/** A part proves itself the way its upload was created with; one without a way, by Content-MD5. */
async function partDigests(
  profile: S3Profile,
  own: UploadChecksum,
  body: PartBody,
  crc: number,
): Promise<BodyDigests> {
  if (own.kind === "crc32") return crcOnly(crc);
  if (own.kind === "other" || profile.checksum === "off") return {};
  return await md5Only(body);
}

function sentDigests({ ChecksumCRC32, ContentMD5 }: BodyDigests) {
  return {
    ...(ChecksumCRC32 !== undefined && { ChecksumCRC32 }),
    ...(ContentMD5 !== undefined && { ContentMD5 }),
  };
}

/** Whether the reply proves the bytes. A reply that disproves them is an error: they are to be sent again. */
function isVerified(
  profile: S3Profile,
  what: string,
  crc32: string | undefined,
  etag: string,
  sent: BodyDigests,
): boolean {
  const crcKnown = crc32 !== undefined && sent.ChecksumCRC32 !== undefined;
  const md5Known = profile.etagIsMd5 && sent.md5 !== undefined;
  if ((crcKnown && crc32 !== sent.ChecksumCRC32) || (md5Known && etag !== sent.md5)) {
    const message = `${what}: the store confirms other bytes than were sent`;
    throw new StoreError({ trouble: "garbled", code: "ReplyMismatch", message });
  }
  return crcKnown || md5Known;
}

/** "Checksum Type mismatch occurred, expected checksum Type: null, actual checksum Type: crc32" */
function isChecksumMismatch({ status, code, message }: S3Failure): boolean {
  return status === 400 && code === "InvalidRequest" && /checksum/i.test(message);
}

/** The same memory, not a copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
