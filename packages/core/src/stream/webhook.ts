/**
 * What webhooks report about a stream, as data: which changes, and the body, whose field names are stable. A body is
 * made once, with the change; every attempt to deliver it sends the same bytes.
 */
import { displayPath } from "./raw-path.ts";
import type { StreamRecord } from "./record.ts";
import { isSetApart } from "./set-apart.ts";
import { kindOf } from "./state.ts";

export const WEBHOOK_EVENTS = ["completed", "failed", "stalled", "salvaged"] as const;
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

/** Undefined: no message is sent. A failed stream that is set apart raises no alert. */
export function webhookEventOf(before: StreamRecord, after: StreamRecord): WebhookEvent | undefined {
  const kind = kindOf(after.status);
  if (kind === kindOf(before.status)) return undefined;
  // An object that holds a part of its file is never announced as a completed one.
  if (kind === "completed") return after.completed_by === "salvage" ? "salvaged" : kind;
  return kind === "failed" && !isSetApart(after) ? kind : undefined;
}

/** The type's name for receivers: `stream.completed`. */
export function webhookBody(event: WebhookEvent, record: Partial<StreamRecord>, atUtc: string): string {
  const { original_path: path } = record;
  const fields = REPORTED.map((field) => [field, record[field]] as const);
  const data = {
    ...(path === undefined ? {} : { original_path: displayPath(path) }),
    ...Object.fromEntries(fields.filter(([, value]) => value !== undefined)),
  };
  return JSON.stringify({ type: `stream.${event}`, timestamp: atUtc, data });
}
