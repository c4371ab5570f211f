/** What requests have in common: how they are named and bounded, and how S3's refusals are read. */
import { type Condition, LIMITS, type ObjectRef, type UploadRef } from "@sluice/core";
import type { ObjectAttributes } from "./s3-attributes.ts";
import type { CallOptions, S3Caller } from "./s3-caller.ts";
import type { UploadChecksums } from "./s3-checksums.ts";
import type { S3Failure } from "./s3-errors.ts";
import type { S3Profile } from "./s3-profiles.ts";

export interface S3Context {
  readonly caller: S3Caller;
  readonly profile: S3Profile;
  readonly attributes: ObjectAttributes;
  readonly checksums: UploadChecksums;
}

export function control(operation: string, { bucket, key }: ObjectRef): CallOptions {
  return { what: `${operation} ${key}`, bucket, deadlineMs: LIMITS.storeControlMs };
}

export function uploadFields(ref: UploadRef) {
  return { Bucket: ref.bucket, Key: ref.key, UploadId: ref.uploadId };
}

export function conditionFields(
  { bareEtagInConditions = false }: S3Profile,
  condition: Condition,
): { IfNoneMatch?: string; IfMatch?: string } {
  if (condition === undefined) return {};
  if (!("ifMatch" in condition)) return { IfNoneMatch: "*" };
  return { IfMatch: bareEtagInConditions ? condition.ifMatch : `"${condition.ifMatch}"` };
}

/** The same as headers. */
export function conditionHeaders(profile: S3Profile, condition: Condition): Record<string, string> {
  const { IfMatch, IfNoneMatch } = conditionFields(profile, condition);
  return {
    ...(IfMatch !== undefined && { "if-match": IfMatch }),
    ...(IfNoneMatch !== undefined && { "if-none-match": IfNoneMatch }),
  };
}

export function isConflict({ status, code }: S3Failure, condition: Condition): boolean {
  if (condition === undefined || code === "OperationAborted") return false;
  // If-Match at a key where nothing stands any more is answered with 404.
  return status === 412 || status === 409 || ("ifMatch" in condition && code === "NoSuchKey");
}

/** Names of "this upload is not open": S3's own, and those of stores that take it for a missing key. */
const UPLOAD_GONE = new Set(["NoSuchUpload", "NoSuchKey", "NotFound", "HTTP404"]);

export function isGone({ status, code }: S3Failure): boolean {
  return status === 404 && UPLOAD_GONE.has(code);
}

/** "Checksum Type mismatch occurred, expected checksum Type: null, actual checksum Type: crc32", and the like. */
export function isChecksumMismatch({ status, code, message }: S3Failure): boolean {
  return status === 400 && code === "InvalidRequest" && /checksum (type|mode|for each part)/i.test(message);
}
