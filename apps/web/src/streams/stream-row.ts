/** One line of a list of streams: the record's own field names, and what follows from them. Shared by server and browser. */
import { kindOf, type Index } from "@sluice/core/stream/state";
import { parseTime } from "../lib/time.ts";

export interface StreamRow {
  id: string;
  /** Displayable: bytes that are not UTF-8 as %XX. */
  original_path: string;
  source: string;
  watch: string;
  s3_bucket: string;
  s3_key?: string;
  s3_upload_id?: string;
  status: string;
  owner?: string;
  next_part: number;
  bytes_sent: number;
  file_size: number;
  part_plan?: string;
  started_at_utc?: string;
  last_activity_at_utc?: string;
  completed_at_utc?: string;
  failure_detail?: string;
  waiting_for?: string;
  requested_action?: string;
  supersedes?: string;
  superseded_by?: string;
  completed_by?: string;
  tidy_error?: string;
  etag?: string;
  /** The sorted set it stands in, and its score there, ms since 1970. */
  index: Index;
  score: number;
}

/** Bytes on disk that are not in S3: the lag of a live stream, what a purge of a failed one would leave to the disk alone. */
export function lagBytes(row: Pick<StreamRow, "status" | "file_size" | "bytes_sent">): number {
  const kind = kindOf(row.status);
  if (kind === "completed" || kind === "s3_completed") return 0;
  return Math.max(0, row.file_size - row.bytes_sent);
}

/** A generation that another took the place of: listed apart, no alert. */
export function isSuperseded(row: Pick<StreamRow, "superseded_by">): boolean {
  return row.superseded_by !== undefined;
}

export function startedAt(row: StreamRow): number {
  return parseTime(row.started_at_utc) ?? row.score;
}

export function lastActivityAt(row: StreamRow): number {
  return parseTime(row.last_activity_at_utc) ?? row.score;
}

/** `failed_file_missing` → `file_missing`; undefined for a stream that has not failed. */
export function failureReason(row: Pick<StreamRow, "status">): string | undefined {
  return row.status.startsWith("failed_") ? row.status.slice("failed_".length) : undefined;
}
