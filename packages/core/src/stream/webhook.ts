/**
 * What webhooks report about a stream, as data: which changes, and the body, whose field names are stable. A body is
 * made once, with the change; every attempt to deliver it sends the same bytes.
 */
import { displayPath } from "./raw-path.ts";
import type { StreamRecord } from "./record.ts";
import { isSetApart } from "./set-apart.ts";
import { kindOf } from "./state.ts";
import { describeWaiting, parseWaiting } from "./waiting.ts";

const STREAM_EVENTS = ["completed", "failed", "stalled", "salvaged"] as const;
const WORKER_EVENTS = [
  "worker.blocked",
  "worker.recovered",
  "worker.lost",
  "watch.offline",
  "watch.disk_filling",
  "upload.ending",
] as const;
export const WEBHOOK_EVENTS = [...STREAM_EVENTS, ...WORKER_EVENTS] as const;
export type StreamEvent = (typeof STREAM_EVENTS)[number];
export type WorkerEvent = (typeof WORKER_EVENTS)[number];
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

const REPORTED = [
  "id",
  "source",
  "watch",
  "s3_bucket",
  "s3_key",
  "s3_upload_id",
  "status",
  "bytes_sent",
  "file_size",
  "started_at_utc",
  "last_activity_at_utc",
  "sealed_at_utc",
  "completed_at_utc",
  "failure_reason",
  "failure_detail",
  "supersedes",
  "content_type",
  "completed_by",
  "last_known_size",
  "verify_mode",
  "verify_result",
  "sealed_by",
  "tidy_error",
  "crc32",
  "etag",
] as const satisfies readonly (keyof StreamRecord)[];

/**
 * Undefined: nobody needs to hear of it. A recording is complete once its object is proved: its metadata object and what
 * becomes of the local file come later. A failed stream that is set apart is no alert.
 */
export function webhookEventOf(before: StreamRecord, after: StreamRecord): StreamEvent | undefined {
  const kind = kindOf(after.status);
  if (kind === kindOf(before.status)) return undefined;
  // An object that has only part of its file is never announced as a completed one.
  if (after.completed_by === "salvage") return kind === "completed" ? "salvaged" : undefined;
  if (isProved(after)) return isProved(before) ? undefined : "completed";
  return kind === "failed" && !isSetApart(after) ? kind : undefined;
}

function isProved({ status }: StreamRecord): boolean {
  const kind = kindOf(status);
  return kind === "s3_completed" || kind === "completed";
}

/** The type's name for receivers: `stream.completed`. */
export function webhookBody(event: StreamEvent, record: Partial<StreamRecord>, atUtc: string): string {
  const { original_path: path } = record;
  const fields = REPORTED.map((field) => [field, record[field]] as const);
  const data = {
    ...(path === undefined ? {} : { original_path: displayPath(path) }),
    ...Object.fromEntries(fields.filter(([, value]) => value !== undefined)),
    ...(event === "stalled" ? causeOf(record) : {}),
  };
  return JSON.stringify({ type: `stream.${event}`, timestamp: atUtc, data });
}

/** What it waits for, as data and in words. */
function causeOf({ waiting_for: text }: Partial<StreamRecord>): object {
  const waiting = parseWaiting(text);
  return waiting === undefined ? {} : { waiting_for: waiting, cause: describeWaiting(waiting) };
}

/** The body of a message about a worker, a watch or an upload; `data` is sent as it is. */
export function workerBody(
  event: WorkerEvent,
  data: Readonly<Record<string, string>>,
  atUtc: string,
): string {
  return JSON.stringify({ type: event, timestamp: atUtc, data });
}
