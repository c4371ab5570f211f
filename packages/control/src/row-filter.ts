/**
 * Which streams a filter selects: one test for lists, live rows and actions, in the dashboard and on the command line.
 */
import type { Kind } from "@sluice/core/stream/state";
import {
  failureReason,
  indexOfRow,
  isStalled,
  isSuperseded,
  lastActivityAt,
  startedAt,
  type StreamRow,
} from "./stream-row.ts";
import { ageMs, parseTime } from "./units.ts";

/** The indexes, with superseded streams separate from failed ones. */
export const VIEWS = ["all", "active", "pending_completion", "failed", "superseded", "completed"] as const;
export type View = (typeof VIEWS)[number];

/** What a span of time is compared with. */
export const TIME_FIELDS = ["started", "completed", "failed"] as const;
export type TimeField = (typeof TIME_FIELDS)[number];

/** An absent field does not filter. */
export interface RowFilter {
  view?: View | undefined;
  kinds?: ReadonlySet<Kind> | undefined;
  reasons?: readonly string[] | undefined;
  source?: string | undefined;
  watch?: string | undefined;
  owner?: string | undefined;
  /** A literal part of the path or of the key. */
  path?: string | undefined;
  /** In lower case; each word must occur in the path, the key, the id, the upload id or the ETag. */
  words?: readonly string[] | undefined;
  /** Time since the last activity, ms. */
  olderThan?: number | undefined;
  /** From `since` to before `until`, ms since 1970: when it started, unless `time` names another time. */
  time?: TimeField | undefined;
  since?: number | undefined;
  until?: number | undefined;
  /** Only stalled streams, by this limit (ms). */
  stalledAfterMs?: number | undefined;
  /** Only streams that replace their own earlier object. */
  reopened?: boolean | undefined;
}

/** A row without a field that the filter asks for does not match. */
export function matches(row: StreamRow, filter: RowFilter, nowMs: number): boolean {
  const { view, kinds, reasons, source, watch, owner, path, words, olderThan, stalledAfterMs, reopened } =
    filter;
  return (
    (view === undefined || isInView(row, view)) &&
    (kinds === undefined || (row.kind !== undefined && kinds.has(row.kind))) &&
    (reasons === undefined || reasons.includes(failureReason(row) ?? "")) &&
    (source === undefined || row.source === source) &&
    (watch === undefined || row.watch === watch) &&
    (owner === undefined || row.owner === owner) &&
    (path === undefined || [row.original_path, row.s3_key].some((text) => text?.includes(path) === true)) &&
    (olderThan === undefined || ageMs(lastActivityAt(row) ?? nowMs, nowMs) >= olderThan) &&
    isWithin(row, filter) &&
    (!reopened || row.supersedes !== undefined) &&
    (stalledAfterMs === undefined || isStalled(row, nowMs, stalledAfterMs)) &&
    (words === undefined || words.every((word) => occurs(row, word)))
  );
}

/** A stream that has not come to that time is not in any span of it. */
function isWithin(row: StreamRow, { time = "started", since, until }: RowFilter): boolean {
  if (since === undefined && until === undefined) return true;
  const at = timeOf(row, time);
  return at !== undefined && at >= (since ?? -Infinity) && at < (until ?? Infinity);
}

/** When the stream came to it, ms since 1970; undefined if it has not. */
export function timeOf(row: StreamRow, time: TimeField): number | undefined {
  if (time === "started") return startedAt(row);
  const index = indexOfRow(row);
  if (time === "completed")
    return index === "completed" ? (parseTime(row.completed_at_utc) ?? row.score) : undefined;
  return index === "failed" ? (parseTime(row.failed_at_utc) ?? row.score) : undefined;
}

function isInView(row: StreamRow, view: View): boolean {
  if (view === "all") return true;
  const index = indexOfRow(row);
  if (view === "superseded") return index === "failed" && isSuperseded(row);
  if (view === "failed") return index === "failed" && !isSuperseded(row);
  return index === view;
}

function occurs(row: StreamRow, word: string): boolean {
  const texts = [row.original_path, row.id, row.s3_key, row.s3_upload_id, row.etag];
  return texts.some((text) => text?.toLowerCase().includes(word) === true);
}
