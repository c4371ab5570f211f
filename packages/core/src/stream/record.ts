/**
 * What Sluice knows of one stream. Field names are the wire contract's, unchanged from Redis to the browser,
 * so that a name seen in redis-cli, in `--json`, in a log line or in the code is always the same thing.
 */
import type { SetApart } from "./set-apart.ts";
import type { Status } from "./state.ts";
import type { StreamId } from "./values.ts";

export const COMPLETED_BY = ["idle", "marker", "rename", "finalize", "term"] as const;
export type CompletedBy = (typeof COMPLETED_BY)[number];
export const VERIFY_MODES = ["full", "edges", "off"] as const;
export type VerifyMode = (typeof VERIFY_MODES)[number];

/** Version of the record's shape; a record without one is the founding document's. */
export const SCHEMA_VERSION = 1;

export interface StreamRecord {
  /** Not a field of the hash: it is part of its key. */
  readonly id: StreamId;
  /** Absolute path; bytes that are not UTF-8 stand as lone surrogates (stream/raw-path.ts). */
  original_path: string;
  source: string;
  watch: string;
  s3_bucket: string;
  s3_key_prefix: string;
  /** Fixed when the first request for the object is about to be sent. */
  s3_key?: string;
  /** The number in its key, where that is the third or a later name that its path got within a day. */
  name_number?: number;
  /** Of the metadata object, where another program's object stands at `<s3_key>.metadata.json`. */
  s3_metadata_key?: string;
  s3_upload_id?: string;
  status: Status;
  /** First part number past the unbroken run from part 1. */
  next_part: number;
  /** Bytes covered by that run. */
  bytes_sent: number;
  part_plan: string;
  /** Size last seen on disk, in bytes. */
  file_size: number;
  /** Decimal text: inodes and nanoseconds exceed 2^53. */
  file_inode?: string;
  file_birthtime_ns?: string;
  file_device?: string;
  /** Boot id under which `file_device` holds. */
  file_boot?: string;
  file_mtime_ns?: string;
  file_ctime_ns?: string;
  started_at_utc: string;
  last_activity_at_utc: string;
  completed_at_utc?: string;
  failure_reason?: string;
  failure_detail?: string;
  /** Worker id of the process that holds the stream; absent for failed and completed streams. */
  owner?: string;
  fence: number;
  /** Counts the writes under one fence, so that a command sent twice changes nothing the second time. */
  revision: number;
  /** Why the stream is not final yet: JSON of `Waiting` (stream/waiting.ts). */
  waiting_for?: string;
  requested_action?: string;
  supersedes?: string;
  superseded_by?: string;
  /** Why a failed stream is listed apart, without an alert (stream/set-apart.ts). */
  set_apart?: SetApart;
  content_type?: string;
  completed_by?: CompletedBy;
  longest_pause_ms: number;
  create_intent_at_utc?: string;
  /** When the store will abort the upload by itself, as far as it says. */
  upload_aborts_at_utc?: string;
  verify_mode: VerifyMode;
  verify_result?: string;
  sealed_by?: string;
  sealed_version?: string;
  sealed_at_utc?: string;
  tidy_error?: string;
  /** Base64 of the big-endian CRC32, as S3 writes it. */
  crc32?: string;
  etag?: string;
  schema_version: number;
}

/** Fields to set; `null` removes the field. */
export type RecordPatch = {
  [K in Exclude<keyof StreamRecord, "id" | "fence" | "revision" | "owner">]?: StreamRecord[K] | null;
};

/** One acknowledged part: the value of a field of `stream:<id>:parts`. */
export interface Part {
  PartNumber: number;
  ETag: string;
  Size: number;
  Offset: number;
  /** Base64 of the big-endian CRC32 of the bytes sent. Absent in records of the founding phase. */
  ChecksumCRC32?: string;
  UploadedAt?: string;
  Attempts?: number;
  DurationMs?: number;
}

/** Parts by number. */
export type Parts = ReadonlyMap<number, Part>;

/** The record after a patch; neither argument is changed. */
export function patched(record: StreamRecord, patch: RecordPatch): StreamRecord {
  const next: Record<string, unknown> = { ...record };
  for (const [field, value] of Object.entries(patch)) {
    if (value === null || value === undefined) delete next[field];
    else next[field] = value;
  }
  // The patch's type admits only the record's own fields, so the result keeps its shape.
  return next as unknown as StreamRecord;
}
