/** An upload's beginning and its two ends. What is not a clean success of Complete is never called one. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
} from "@aws-sdk/client-s3";
import {
  type CompleteOutcome,
  type CompleteRequest,
  type CreatedUpload,
  crc32ToBase64,
  LIMITS,
  type ObjectHeaders,
  type ObjectRef,
  StoreError,
  type UploadRef,
} from "@sluice/core";
import { attributeFields } from "./attributes.ts";
import type { CallOptions } from "./caller.ts";
import { storeError, type S3Failure } from "./errors.ts";
import { abortsAt, listParts, listUploads } from "./listings.ts";
import { badReply, unquoted } from "./replies.ts";
import {
  conditionFields,
  conditionName,
  control,
  isChecksumMismatch,
  type S3Context,
  uploadFields,
} from "./requests.ts";

/** Aborts sent until the upload is gone: a part in flight may land after one. */
const ABORTS = 5;

interface InProgress {
  kind: "in_progress";
  failure: S3Failure;
}

export async function createUpload(
  context: S3Context,
  ref: ObjectRef,
  headers: ObjectHeaders,
): Promise<CreatedUpload> {
  const { caller, attributes, checksums } = context;
  const { created } = checksums;
  const input = {
    Bucket: ref.bucket,
    Key: ref.key,
    ...attributeFields(headers, attributes),
    ...(created.kind === "crc32" && { ChecksumAlgorithm: "CRC32" as const, ChecksumType: created.type }),
  };
  const call: CallOptions = { ...control("CreateMultipartUpload", ref), mutating: true };
  return await caller.call(call, async (options) => {
    const { UploadId, AbortDate } = await caller.client.send(
      new CreateMultipartUploadCommand(input),
      options,
    );
    if (UploadId === undefined || UploadId === "") throw badReply(call.what, "an upload without an id");
    checksums.learn(UploadId, created);
    return { uploadId: UploadId, ...abortsAt(AbortDate) };
  });
}

export async function completeUpload(
  context: S3Context,
  ref: UploadRef,
  request: CompleteRequest,
): Promise<CompleteOutcome> {
  const { caller, checksums } = context;
  const call: CallOptions = {
    ...control("CompleteMultipartUpload", ref),
    asked: { request: "CompleteMultipartUpload", condition: conditionName(request.condition) },
    mutating: true,
    turn: "complete",
    deadlineMs: LIMITS.storeCompleteMs,
    keptAliveByBytes: true,
  };
  const input = completeInput(context, ref, request);
  const outcome = await caller.call<CompleteOutcome | InProgress>(
    call,
    async (options) => {
      const reply = await caller.client.send(new CompleteMultipartUploadCommand(input), options);
      const version = reply.VersionId;
      return { kind: "completed", etag: unquoted(reply.ETag), ...(version !== undefined && { version }) };
    },
    (failure, answer) => {
      switch (answer) {
        case "invalid_part":
          return { kind: "invalid_part", detail: failure.message };
        case "in_progress":
          return { kind: "in_progress", failure };
        case "conflict":
        case "gone":
          return { kind: answer };
        case "missing":
        case undefined:
          if (isChecksumMismatch(failure)) checksums.contradicted(ref.uploadId);
          return undefined;
      }
    },
  );
  if (outcome.kind === "in_progress") {
    // Ceph 16 says so for ever of an upload that was aborted, or whose object was deleted since.
    if ((await listParts(context, ref)).kind === "gone") return { kind: "gone" };
    throw storeError(outcome.failure, call.what, true);
  }
  if (outcome.kind === "completed" && outcome.etag !== undefined) checksums.forget(ref.uploadId);
  return outcome;
}

function completeInput(
  { checksums, profile }: S3Context,
  ref: UploadRef,
  request: CompleteRequest,
): CompleteMultipartUploadCommandInput {
  const own = checksums.of(ref.uploadId);
  const composite = own.kind === "crc32" && own.type === "COMPOSITE";
  const listed = composite || (own.kind === "crc32" && profile.checksumsInComplete);
  const whole = own.kind === "crc32" && own.type === "FULL_OBJECT" ? request.crc : undefined;
  return {
    ...uploadFields(ref),
    ...conditionFields(profile, request.condition),
    MultipartUpload: {
      Parts: request.parts.map(({ PartNumber, ETag, ChecksumCRC32 }) =>
        listed && ChecksumCRC32 !== undefined
          ? { PartNumber, ETag: `"${ETag}"`, ChecksumCRC32 }
          : { PartNumber, ETag: `"${ETag}"` },
      ),
    },
    ...(whole !== undefined && { ChecksumCRC32: crc32ToBase64(whole), ChecksumType: "FULL_OBJECT" }),
    ...(profile.objectSizeInComplete && { MpuObjectSize: request.size }),
  };
}

export async function abortUpload(context: S3Context, ref: UploadRef): Promise<void> {
  const { checksums, profile } = context;
  // Where ListParts goes on to answer for an aborted upload, its parts are no reason to abort again and again.
  const attempts = profile.listPartsEndsWithAbort ? ABORTS : 2;
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    if (await abortOnce(context, ref)) {
      checksums.forget(ref.uploadId);
      return;
    }
  }
  if (!(await isListed(context, ref))) return;
  throw new StoreError({
    trouble: "rejected",
    code: "AbortIncomplete",
    message: `the upload at ${ref.key} still has parts after ${attempts} aborts`,
  });
}

/** Whether the upload has ended. */
async function abortOnce(context: S3Context, ref: UploadRef): Promise<boolean> {
  const { caller } = context;
  const gone = await caller.call(
    control("AbortMultipartUpload", ref),
    async (options) => {
      await caller.client.send(new AbortMultipartUploadCommand(uploadFields(ref)), options);
      return false;
    },
    (_failure, answer) => (answer === "gone" ? true : undefined),
  );
  if (gone) return true;
  const left = await listParts(context, ref);
  return left.kind === "gone" || left.parts.length === 0;
}

async function isListed(context: S3Context, ref: UploadRef): Promise<boolean> {
  for await (const upload of listUploads(context, ref.bucket, ref.key)) {
    if (upload.key === ref.key && upload.uploadId === ref.uploadId) return true;
  }
  return false;
}
