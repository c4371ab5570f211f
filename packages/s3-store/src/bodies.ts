/** Bytes on their way into the store: sent from where they lie, never copied, proven on arrival where the store can. */
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
import { attributeFields, attributeHeaders } from "./attributes.ts";
import type { CallOptions } from "./caller.ts";
import { type BodyDigests, digestHeaders, digestOf, digestsOf } from "./checksums.ts";
import type { S3Profile } from "./profiles.ts";
import { badReply, unquoted } from "./replies.ts";
import { conditionHeaders, conditionName, control, isChecksumMismatch, type S3Context } from "./requests.ts";
import { RangeBody } from "./request-body.ts";

export async function putObject(
  context: S3Context,
  ref: ObjectRef,
  request: PutRequest,
): Promise<PutOutcome> {
  const { caller, profile, attributes } = context;
  const { body, crc, condition } = request;
  const digests = await digestsOf({ kind: "bytes", bytes: body }, crc, proofOfObject(profile));
  const call: CallOptions = {
    ...control("PutObject", ref),
    asked: {
      request: "PutObject",
      condition: conditionName(condition),
      wrongChecksumCodes: profile.wrongChecksumCodes,
    },
    mutating: true,
    deadlineMs: caller.bodyDeadlineMs(body.length),
  };
  const put = {
    bucket: ref.bucket,
    key: ref.key,
    query: {},
    headers: {
      ...attributeHeaders(attributeFields(request, attributes)),
      ...conditionHeaders(profile, condition),
      ...digestHeaders(digests),
    },
    body,
    signed: !profile.unsignedPayload,
  };
  return await caller.call<PutOutcome>(
    call,
    async (options) => {
      const stored = storedBody(profile, call.what, await caller.direct.put(put, options), digests);
      return { kind: "stored", ...stored };
    },
    (_failure, answer) => (answer === "conflict" ? { kind: "conflict" } : undefined),
  );
}

export async function uploadPart(
  context: S3Context,
  ref: UploadRef,
  partNumber: number,
  { body, crc, signal }: PartRequest,
): Promise<PartOutcome> {
  const { caller, profile, checksums } = context;
  const bytes = body.kind === "bytes" ? body.bytes.length : body.bytes;
  // A part proves itself the way its upload was created with; where that is none, by MD5.
  const proof =
    checksums.of(ref.uploadId).kind === "crc32" ? "crc32" : profile.checksum === "off" ? "nothing" : "md5";
  const digests = await digestsOf(body, crc, proof);
  const call: CallOptions = {
    ...control("UploadPart", ref),
    what: `UploadPart ${partNumber} ${ref.key}`,
    asked: { request: "UploadPart", wrongChecksumCodes: profile.wrongChecksumCodes },
    mutating: true,
    turn: "none",
    deadlineMs: caller.bodyDeadlineMs(bytes),
    ...(signal && { abortSignal: signal }),
  };
  const put = {
    bucket: ref.bucket,
    key: ref.key,
    query: { partNumber: String(partNumber), uploadId: ref.uploadId },
    headers: digestHeaders(digests),
    body: await payload(profile, body),
    signed: !profile.unsignedPayload,
  };
  return await caller.call<PartOutcome>(
    call,
    async (options) => {
      const { etag } = storedBody(profile, call.what, await caller.direct.put(put, options), digests);
      return { kind: "stored", etag };
    },
    (failure, answer) => {
      if (answer === "gone") return { kind: "gone" };
      if (isChecksumMismatch(failure)) checksums.contradicted(ref.uploadId);
      return undefined;
    },
  );
}

function proofOfObject({ checksum }: S3Profile): "crc32" | "md5" | "nothing" {
  return checksum === "off" ? "nothing" : checksum === "md5" ? "md5" : "crc32";
}

/** A range is hashed beforehand where the signature is to cover it: that costs one more read. */
async function payload({ unsignedPayload }: S3Profile, body: PartBody): Promise<Uint8Array | RangeBody> {
  if (body.kind === "bytes") return body.bytes;
  const sha256 = unsignedPayload ? undefined : (await digestOf(body, "sha256")).toString("hex");
  return new RangeBody(body.bytes, body.open, sha256);
}

/**
 * The ETag, and whether the reply proves the bytes: by the checksum it repeats, or by an ETag that is their MD5.
 * A reply that disproves them is an error: they are to be sent again.
 */
function storedBody(
  { etagIsMd5 }: S3Profile,
  what: string,
  headers: Readonly<Record<string, string>>,
  sent: BodyDigests,
): { etag: string; verified: boolean } {
  const etag = unquoted(headers["etag"]);
  if (etag === undefined) throw badReply(what, "without an ETag");
  const crc32 = headers["x-amz-checksum-crc32"];
  const byCrc = crc32 !== undefined && sent.crc32 !== undefined ? crc32 === sent.crc32 : undefined;
  const byMd5 = etagIsMd5 && sent.md5 !== undefined ? etag === hexOf(sent.md5) : undefined;
  if (byCrc === false || byMd5 === false) {
    const message = `${what}: the store confirms other bytes than were sent`;
    throw new StoreError({ trouble: "garbled", code: "ReplyMismatch", message });
  }
  return { etag, verified: byCrc === true || byMd5 === true };
}

function hexOf(base64: string): string {
  return Buffer.from(base64, "base64").toString("hex");
}
