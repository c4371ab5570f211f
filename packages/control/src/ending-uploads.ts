/**
 * Uploads that are the only copy of a file's bytes and that will end: those of streams that are set apart, by the workers'
 * retention; any, also those that a purge kept, by the store's age limit. Until then a salvage makes an object of them. Pure.
 */
import { ENDING_SAID_MS, uploadEndsAtMs } from "@sluice/core/stream/set-apart";
import { uploadAge } from "@sluice/core/stream/upload-age";
import type { Orphan } from "@sluice/redis-schema/records/upload-entries";
import type { WorkerListing } from "@sluice/redis-schema/worker-registry";
import { fileName, isOnlyCopy, pathOf, type StreamRow } from "./stream-row.ts";
import { formatBytes, formatDuration, plural } from "./units.ts";

export interface EndingUpload {
  uploadId: string;
  /** Undefined: a purge kept it, and `orphans` lists it. */
  streamId: string | undefined;
  bucket: string;
  key: string;
  /** Of its file, or the name of its object. */
  path: string;
  /** In S3. */
  bytes: number;
  /** In ms since 1970; NaN if it is not known. */
  beganAt: number;
  /** In ms since 1970. A store may need longer, so the time may be over. */
  endsAt: number;
  by: "retention" | "store";
}

/** The shortest SLUICE_FAILED_UPLOAD_RETENTION of the living workers: each of them cleans up for all. */
export function retentionOf(listings: readonly WorkerListing[]): number | undefined {
  const retentions = listings.flatMap(({ lease }) =>
    lease.kind === "ok" ? (lease.value.failed_upload_retention_ms ?? []) : [],
  );
  return retentions.length === 0 ? undefined : Math.min(...retentions);
}

/** When the upload of a stream ends, whatever it is that ends it first. */
export function endOf(
  row: StreamRow,
  retentionMs: number | undefined,
  nowMs: number,
): EndingUpload | undefined {
  if (!isOnlyCopy(row)) return undefined;
  const upload = {
    uploadId: row.s3_upload_id ?? "",
    streamId: row.id,
    bucket: row.s3_bucket ?? "",
    key: row.s3_key ?? "",
    path: pathOf(row),
    bytes: row.bytes_sent ?? 0,
    beganAt: Date.parse(row.create_intent_at_utc ?? row.started_at_utc ?? ""),
  };
  const ends: EndingUpload[] = [];
  const kept = retentionMs === undefined ? undefined : uploadEndsAtMs(row, retentionMs);
  if (kept !== undefined) ends.push({ ...upload, endsAt: kept, by: "retention" });
  const age = uploadAge(row, nowMs);
  if (age !== undefined) ends.push({ ...upload, endsAt: Date.parse(age.abortsAt), by: "store" });
  return ends.sort((a, b) => a.endsAt - b.endsAt)[0];
}

/** When the store ends an upload that a purge kept; undefined for one that is no only copy, or has no known end. */
export function endOfOrphan(orphan: Orphan): EndingUpload | undefined {
  const endsAt = Date.parse(orphan.upload_aborts_at_utc ?? "");
  if (orphan.verdict !== "only_copy" || Number.isNaN(endsAt)) return undefined;
  return {
    uploadId: orphan.s3_upload_id,
    streamId: undefined,
    bucket: orphan.s3_bucket,
    key: orphan.s3_key,
    path: orphan.original_path ?? orphan.s3_key,
    bytes: orphan.bytes ?? 0,
    beganAt: Date.parse(orphan.initiated_at_utc ?? orphan.first_seen_at_utc),
    endsAt,
    by: "store",
  };
}

/** Those of which somebody should hear now, the first to end first. */
export function endingUploads(
  { rows, orphans }: { rows: Iterable<StreamRow>; orphans: Iterable<Orphan> },
  retentionMs: number | undefined,
  nowMs: number,
): EndingUpload[] {
  const ends: (EndingUpload | undefined)[] = [];
  for (const row of rows) ends.push(endOf(row, retentionMs, nowMs));
  for (const orphan of orphans) ends.push(endOfOrphan(orphan));
  const found = ends.filter((end) => end !== undefined).filter((end) => isSaid(end, nowMs));
  return found.sort((a, b) => a.endsAt - b.endsAt);
}

/** The workers' retention is said a day before, the store's limit from half of the upload's life on. */
function isSaid({ beganAt, endsAt, by }: EndingUpload, nowMs: number): boolean {
  if (by === "retention") return endsAt > nowMs && endsAt - nowMs <= ENDING_SAID_MS;
  // A store ends it when it comes to it; after a day it has.
  return nowMs - endsAt < ENDING_SAID_MS && !(nowMs - beganAt < (endsAt - beganAt) / 2);
}

/** "a.mxf, 48 MiB, in 20 h, by SLUICE_FAILED_UPLOAD_RETENTION" */
export function endingWords({ path, bytes, endsAt, by }: EndingUpload, nowMs: number): string {
  const when = endsAt > nowMs ? `in ${formatDuration(endsAt - nowMs)}` : "at any moment";
  const why = by === "retention" ? "SLUICE_FAILED_UPLOAD_RETENTION" : "the store's age limit";
  return `${fileName(path)}, ${formatBytes(bytes)}, ${when}, by ${why}`;
}

/** The headline, with their number. */
export function endingTitle(uploads: readonly EndingUpload[]): string {
  const many = plural(uploads.length, "upload that is an only copy ends", "uploads that are only copies end");
  return `${many} soon`;
}

/** The command that makes an object of it. */
export function salvageCommand({ streamId, key, uploadId }: EndingUpload): string {
  return `sluice salvage ${streamId ?? `--upload ${key} ${uploadId}`}`;
}
