/** What requests have in common: how they are named and bounded, and how S3's refusals are read. */
import { type Condition, LIMITS, type ObjectRef, type UploadRef } from "@sluice/core";
import type { ObjectAttributes } from "./attributes.ts";
import type { CallOptions, S3Caller } from "./caller.ts";
import type { UploadChecksums } from "./checksums.ts";
import type { S3Failure } from "./errors.ts";
import type { S3Profile } from "./profiles.ts";
import type { Asked, StoreRequest } from "./verdict.ts";

export interface S3Context {
  readonly caller: S3Caller;
  readonly profile: S3Profile;
  readonly attributes: ObjectAttributes;
  readonly checksums: UploadChecksums;
}

export function control(request: StoreRequest, { bucket, key }: ObjectRef): CallOptions {
  return { what: `${request} ${key}`, bucket, deadlineMs: LIMITS.storeControlMs, asked: { request } };
}

export function conditionName(condition: Condition): Asked["condition"] {
  return condition === undefined ? undefined : "ifMatch" in condition ? "if-match" : "if-none-match";
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

/** "Checksum Type mismatch occurred, expected checksum Type: null, actual checksum Type: crc32", and the like. */
export function isChecksumMismatch({ status, code, message }: S3Failure): boolean {
  return status === 400 && code === "InvalidRequest" && /checksum (type|mode|for each part)/i.test(message);
}
