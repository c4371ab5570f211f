/**
 * Records of an early version: path, bucket, prefix, upload id, status, and parts with number, ETag and size. They are
 * read as they are; the worker fills in the rest from the file and ListParts.
 */
import { kindOf, streamId, type Kind, type StreamId } from "@sluice/core";
import type { RawHash } from "./text.ts";

export interface FoundingRecord {
  readonly id: StreamId;
  original_path: string;
  s3_bucket: string;
  s3_key_prefix: string;
  s3_key?: string;
  s3_upload_id?: string;
  /** As stored; a missing status means `processing`. */
  status: string;
  kind: Kind;
  started_at_utc?: string;
  last_activity_at_utc?: string;
  failure_reason?: string;
  /** Set by a claim, which is how a current record begins. */
  owner?: string;
  fence: number;
  revision: number;
}

export type ParsedFounding =
  | { kind: "founding"; founding: FoundingRecord }
  | { kind: "incomplete"; missing: string[] }
  | { kind: "corrupt"; detail: string };

const OPTIONAL = ["s3_key", "s3_upload_id", "failure_reason", "owner"] as const;
const TIMES = ["started_at_utc", "last_activity_at_utc"] as const;

/** A record of an early version, or what is missing or wrong in it. */
export function parseFounding(id: string, hash: RawHash): ParsedFounding {
  const status = hash["status"] ?? "processing";
  const kind = kindOf(status);
  const missing = missingFields(hash, kind);
  if (missing.length > 0) return { kind: "incomplete", missing };
  const wrong = wrongField(hash, kind);
  if (wrong !== undefined || kind === undefined) return { kind: "corrupt", detail: wrong ?? "status" };
  const founding: FoundingRecord = {
    id: streamId(id),
    original_path: hash["original_path"] ?? "",
    s3_bucket: hash["s3_bucket"] ?? "",
    s3_key_prefix: hash["s3_key_prefix"] ?? "",
    status,
    kind,
    fence: Number(hash["fence"] ?? 0),
    revision: Number(hash["revision"] ?? 0),
  };
  for (const field of OPTIONAL) {
    const value = hash[field];
    if (value) founding[field] = value;
  }
  for (const field of TIMES) {
    const value = hash[field];
    // An invalid time counts as missing: the worker sets both again.
    if (value !== undefined && !Number.isNaN(Date.parse(value))) founding[field] = value;
  }
  return { kind: "founding", founding };
}

/** Missing fields: a path, a bucket, something to derive the key from, or the upload id of a processing stream. */
function missingFields(hash: RawHash, kind: Kind | undefined): string[] {
  const missing: string[] = [];
  if (!hash["original_path"]) missing.push("original_path");
  if (!hash["s3_bucket"]) missing.push("s3_bucket");
  if (hash["s3_key_prefix"] === undefined && !hash["s3_key"]) missing.push("s3_key_prefix");
  if (kind === "processing" && !hash["s3_upload_id"]) missing.push("s3_upload_id");
  return missing;
}

function wrongField(hash: RawHash, kind: Kind | undefined): string | undefined {
  if (kind === undefined) return "status: is not a known status";
  if (!hash["original_path"]?.startsWith("/")) return "original_path: is not absolute";
  for (const field of ["fence", "revision"] as const) {
    if (!/^\d{1,15}$/.test(hash[field] ?? "0")) return `${field}: is not a whole number`;
  }
  return undefined;
}
