/**
 * Uploads that are the only copy of a file's bytes and that will end: those of streams that are set apart, by the workers'
 * retention, and any by the store's age limit. Until then a salvage makes an object of them. Pure.
 */
import { ENDING_SAID_MS, uploadEndsAtMs } from "@sluice/core/stream/set-apart";
import { uploadAge } from "@sluice/core/stream/upload-age";
import type { WorkerListing } from "@sluice/redis-schema/worker-registry";
import { fileName, isOnlyCopy, pathOf, type StreamRow } from "./stream-row.ts";
import { formatBytes, formatDuration, plural } from "./units.ts";

export interface EndingUpload {
  row: StreamRow;
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
  const ends: EndingUpload[] = [];
  const kept = retentionMs === undefined ? undefined : uploadEndsAtMs(row, retentionMs);
  if (kept !== undefined) ends.push({ row, endsAt: kept, by: "retention" });
  const age = uploadAge(row, nowMs);
  if (age !== undefined) ends.push({ row, endsAt: Date.parse(age.abortsAt), by: "store" });
  return ends.sort((a, b) => a.endsAt - b.endsAt)[0];
}

/** Those of which somebody should hear now, the first to end first. */
export function endingUploads(
  rows: Iterable<StreamRow>,
  retentionMs: number | undefined,
  nowMs: number,
): EndingUpload[] {
  const found: EndingUpload[] = [];
  for (const row of rows) {
    const end = endOf(row, retentionMs, nowMs);
    if (end !== undefined && isSaid(end, nowMs)) found.push(end);
  }
  return found.sort((a, b) => a.endsAt - b.endsAt);
}

/** The workers' retention is said a day before, the store's limit from half of the upload's life on. */
function isSaid({ row, endsAt, by }: EndingUpload, nowMs: number): boolean {
  if (by === "retention") return endsAt > nowMs && endsAt - nowMs <= ENDING_SAID_MS;
  const began = Date.parse(row.create_intent_at_utc ?? row.started_at_utc ?? "");
  // A store ends it when it comes to it; after a day it has.
  return nowMs - endsAt < ENDING_SAID_MS && !(nowMs - began < (endsAt - began) / 2);
}

/** "a.mxf, 48 MiB, in 20 h, by SLUICE_FAILED_UPLOAD_RETENTION" */
export function endingWords({ row, endsAt, by }: EndingUpload, nowMs: number): string {
  const when = endsAt > nowMs ? `in ${formatDuration(endsAt - nowMs)}` : "at any moment";
  const why = by === "retention" ? "SLUICE_FAILED_UPLOAD_RETENTION" : "the store's age limit";
  return `${fileName(pathOf(row))}, ${formatBytes(row.bytes_sent ?? 0)}, ${when}, by ${why}`;
}

export function endingTitle(uploads: readonly EndingUpload[]): string {
  const many = plural(uploads.length, "upload that is an only copy ends", "uploads that are only copies end");
  return `${many} soon`;
}
