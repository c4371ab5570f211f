/**
 * Some stores abort an upload at a certain age, even while it is in use: then all its bytes are sent again. Whether a
 * stream's upload will be finished in time is judged from its record alone, the same in worker, command line and
 * browser.
 */
import type { StreamRecord } from "./record.ts";

const DAY_MS = 86_400_000;
/** The warning comes when this share of an upload's lifetime is left: 6 hours of MinIO's day, 42 of R2's week. */
const WARNED_SHARE = 0.25;
/** A rate over a shorter time is meaningless. */
const RATE_AFTER_MS = 60_000;

export type AgedUpload = {
  [
    K in
      | "s3_upload_id"
      | "upload_aborts_at_utc"
      | "create_intent_at_utc"
      | "started_at_utc"
      | "bytes_sent"
      | "file_size"
  ]?: StreamRecord[K] | undefined;
};

/**
 * `ample`: there is enough time. `near`: its last quarter has begun. `late`: at the current rate not even what is on
 * disk now will be in S3 by then. `over`: the time is over.
 */
export type Outlook = "ample" | "near" | "late" | "over";

export interface UploadAge {
  abortsAt: string;
  leftMs: number;
  outlook: Outlook;
  /** At the current rate; undefined if there is none. */
  neededMs: number | undefined;
}

/** When the store aborts an upload: as it reported itself, else as known for the store. */
export function uploadAbortsAt(
  said: string | undefined,
  beganAtMs: number,
  profile: { uploadAgeDays?: number },
): string | undefined {
  if (said !== undefined) return said;
  if (profile.uploadAgeDays === undefined || Number.isNaN(beganAtMs)) return undefined;
  return new Date(beganAtMs + profile.uploadAgeDays * DAY_MS).toISOString();
}

/** Undefined without an open upload, or without a known limit. */
export function uploadAge(stream: AgedUpload, nowMs: number): UploadAge | undefined {
  const { s3_upload_id: id, upload_aborts_at_utc: abortsAt } = stream;
  const atMs = Date.parse(abortsAt ?? "");
  if (id === undefined || abortsAt === undefined || Number.isNaN(atMs)) return undefined;
  const beganMs = Date.parse(stream.create_intent_at_utc ?? stream.started_at_utc ?? "");
  const leftMs = atMs - nowMs;
  const neededMs = timeToSend(stream, nowMs - beganMs);
  return { abortsAt, leftMs, neededMs, outlook: outlookOf(leftMs, atMs - beganMs, neededMs) };
}

function outlookOf(leftMs: number, lifeMs: number, neededMs: number | undefined): Outlook {
  if (leftMs <= 0) return "over";
  if (neededMs !== undefined && neededMs > leftMs) return "late";
  return leftMs < WARNED_SHARE * lifeMs ? "near" : "ample";
}

/** For the bytes on disk that are not in S3, at the average rate so far. */
function timeToSend(
  { bytes_sent: sent = 0, file_size: size = 0 }: AgedUpload,
  ms: number,
): number | undefined {
  if (sent >= size) return 0;
  if (!(ms >= RATE_AFTER_MS) || sent === 0) return undefined;
  return ((size - sent) / sent) * ms;
}

/** In words, without the times, which are shown next to it. */
export function describeOutlook(outlook: Outlook): string {
  switch (outlook) {
    case "ample":
      return "there is enough time";
    case "near":
      return "a file that is not complete by then is sent again from its first byte: end it before, or raise the store's limit";
    case "late":
      return "at the current rate the file is not in S3 by then, and all of it is sent again: give the upload more bandwidth, or raise the store's limit";
    case "over":
      return "the store may abort the upload at any moment; the file is then sent again from its first byte";
  }
}
