/** One line of a list of streams, as redis-schema reads it, and what follows from it. Shared by server and browser. */
import type { ListedStream } from "@sluice/redis-schema/stream-rows";
import { isSetApart } from "@sluice/core/stream/set-apart";
import { INDEX_OF, type Index } from "@sluice/core/stream/state";
import { parseTime } from "./time.ts";

/** Lenient: every field of the record may be missing, and such a row is shown all the same. JSON leaves such a field out. */
export type StreamRow = { [K in keyof ListedStream]?: ListedStream[K] | undefined } & Pick<
  ListedStream,
  "id" | "status"
>;

/** The index it stands in; for a row asked for by id, the one its state belongs to. */
export function indexOfRow(row: Pick<StreamRow, "index" | "kind">): Index | undefined {
  return row.index ?? (row.kind === undefined ? undefined : INDEX_OF[row.kind]);
}

/** Bytes on disk that are not in S3: the lag of a live stream, what a purge of a failed one leaves to the disk alone. */
export function lagBytes(row: Pick<StreamRow, "kind" | "file_size" | "bytes_sent">): number {
  if (row.kind === "completed" || row.kind === "s3_completed") return 0;
  return Math.max(0, (row.file_size ?? 0) - (row.bytes_sent ?? 0));
}

/** Bytes S3 has; a stored object has them all, also when it went up in one request. */
export function sentBytes(row: Pick<StreamRow, "kind" | "file_size" | "bytes_sent">): number {
  const stored = row.kind === "completed" || row.kind === "s3_completed";
  return stored ? (row.file_size ?? 0) : (row.bytes_sent ?? 0);
}

/** A generation that another took the place of, or a download that was given up: listed apart, no alert. */
export function isSuperseded(row: Pick<StreamRow, "superseded_by" | "set_apart">): boolean {
  return isSetApart(row);
}

export function startedAt(row: StreamRow): number | undefined {
  return parseTime(row.started_at_utc) ?? row.score;
}

export function lastActivityAt(row: StreamRow): number | undefined {
  return parseTime(row.last_activity_at_utc) ?? row.score;
}

/** `failed_file_missing` → `file_missing`; undefined for a stream that has not failed. */
export function failureReason(row: Pick<StreamRow, "status">): string | undefined {
  return row.status.startsWith("failed_") ? row.status.slice("failed_".length) : undefined;
}

/** The name people know a stream by; its id where the record names no file. */
export function pathOf(row: Pick<StreamRow, "id" | "original_path">): string {
  return row.original_path ?? row.id;
}

export function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1) || path;
}
