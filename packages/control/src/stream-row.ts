/** One line of a list of streams, as stored in Redis, and values derived from it. Also runs in the browser. */
import { bytesToFullPart } from "@sluice/core/stream/part-plan";
import { isSetApart } from "@sluice/core/stream/set-apart";
import { sourceStateOfFailed } from "@sluice/core/stream/source-state";
import { isStalled as isStalledStream } from "@sluice/core/stream/stalled";
import { INDEX_OF, type Index } from "@sluice/core/stream/state";
import type { ListedStream } from "@sluice/redis-schema/stream-rows";
import { parseTime } from "./units.ts";

/** Lenient: every field of the record may be missing, and the row is still shown. JSON leaves missing fields out. */
export type StreamRow = { [K in keyof ListedStream]?: ListedStream[K] | undefined } & Pick<
  ListedStream,
  "id" | "status"
>;

/** The index that lists it; for a row read by id, the one its state belongs to. */
export function indexOfRow(row: Pick<StreamRow, "index" | "kind">): Index | undefined {
  return row.index ?? (row.kind === undefined ? undefined : INDEX_OF[row.kind]);
}

/** Bytes on disk that are not in S3. A sealed file is completely in S3, even if it was sent in one request. */
export function lagBytes(row: Pick<StreamRow, "kind" | "file_size" | "bytes_sent">): number {
  return isStored(row) ? 0 : Math.max(0, (row.file_size ?? 0) - (row.bytes_sent ?? 0));
}

/** Bytes on disk that the loss of the host would lose; what is sealed is safe whole. */
export function unprotectedBytes(
  row: Pick<StreamRow, "kind" | "file_size" | "bytes_sent" | "protected_bytes">,
): number {
  const safe = row.protected_bytes ?? row.bytes_sent ?? 0;
  return isStored(row) ? 0 : Math.max(0, (row.file_size ?? 0) - safe);
}

/** Bytes in S3. A stored object has all of them, even if it was sent in one request. */
export function sentBytes(row: Pick<StreamRow, "kind" | "file_size" | "bytes_sent">): number {
  return isStored(row) ? (row.file_size ?? 0) : (row.bytes_sent ?? 0);
}

/** Its object is in S3, whether or not its metadata object and its local file are done. */
export function isStored({ kind }: Pick<StreamRow, "kind">): boolean {
  return kind === "completed" || kind === "s3_completed";
}

/** Its record names a multipart upload that S3 has, as far as is known. */
export function hasUpload({ s3_upload_id }: Pick<StreamRow, "s3_upload_id">): boolean {
  return s3_upload_id !== undefined && s3_upload_id !== "";
}

/** Where the bytes of a stream's file are. What is on disk and what is lost are never one number. */
export interface Whereabouts {
  /** On local disk alone. */
  disk: number;
  /** Lost with the file. */
  lost: number;
  /** Not in S3; whether they are on disk nobody can tell now. */
  unknown: number;
  /** In an open upload alone, as far as is known. */
  onlyCopy: number;
}

/** How many bytes are on disk alone, lost, nobody knows where, or in the upload alone. */
export function whereBytesAre(row: WhereRow): Whereabouts {
  const lag = lagBytes(row);
  const state = row.kind === "failed" ? sourceStateOfFailed(row) : (row.source_state ?? "present");
  const onlyCopy = isOnlyCopy(row) ? (row.bytes_sent ?? 0) : 0;
  return {
    disk: state === "present" ? lag : 0,
    lost: state === "missing" || state === "replaced" ? lag : 0,
    unknown: state === "unknown" ? lag : 0,
    onlyCopy,
  };
}

type WhereRow = Pick<
  StreamRow,
  "kind" | "file_size" | "bytes_sent" | "source_state" | "failure_reason" | "s3_upload_id"
>;

/** A failed stream whose upload is the only copy of its bytes, or may be: its file is not known to be there. */
export function isOnlyCopy(
  row: Pick<StreamRow, "kind" | "source_state" | "failure_reason" | "s3_upload_id">,
): boolean {
  return row.kind === "failed" && hasUpload(row) && sourceStateOfFailed(row) !== "present";
}

/** Salvaged: its object holds the first bytes of its file alone. */
export function isPartial({ completed_by }: Pick<StreamRow, "completed_by">): boolean {
  return completed_by === "salvage";
}

/** A generation that another one replaced, or a download that was given up: listed separately, no alert. */
export function isSuperseded(row: Pick<StreamRow, "superseded_by" | "set_apart">): boolean {
  return isSetApart(row);
}

/** In ms since 1970; undefined if neither record nor index says so. */
export function startedAt(row: StreamRow): number | undefined {
  return parseTime(row.started_at_utc) ?? row.score;
}

/** In ms since 1970; undefined if neither record nor index says so. */
export function lastActivityAt(row: Pick<StreamRow, "last_activity_at_utc" | "score">): number | undefined {
  return parseTime(row.last_activity_at_utc) ?? row.score;
}

/** `failed_file_missing` → `file_missing`; undefined for a stream that has not failed. */
export function failureReason(row: Pick<StreamRow, "status">): string | undefined {
  return row.status.startsWith("failed_") ? row.status.slice("failed_".length) : undefined;
}

/** The displayed name of a stream; its id if the record has no file name. */
export function pathOf(row: Pick<StreamRow, "id" | "original_path">): string {
  return row.original_path ?? row.id;
}

/** The last segment of a path, or the path itself if it ends in a slash. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1) || path;
}

/** How many bytes past those in S3 make a full part; 1 where the record does not say. */
function toFullPart(row: StreamRow): number {
  return bytesToFullPart(row.part_plan, row.next_part, row.bytes_sent);
}

/** By the same rule as the workers' webhooks. */
export function isStalled(row: StreamRow, now: number, stallAfterMs: number): boolean {
  const facts = {
    kind: row.kind,
    lagBytes: lagBytes(row),
    bytesToFullPart: toFullPart(row),
    quietMs: now - (lastActivityAt(row) ?? now),
  };
  return isStalledStream(facts, stallAfterMs);
}
