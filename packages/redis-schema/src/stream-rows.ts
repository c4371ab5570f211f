/**
 * A stream as lists show it: only the fields a list needs, read leniently, so that a record that cannot be worked with
 * is seen all the same. For people: bytes of a path that are not UTF-8 stand as %XX.
 */
import { displayPath, kindOf, MAX_PARTS, type Index, type Kind } from "@sluice/core";
import type { RawHash } from "./records/text.ts";

const TEXT_FIELDS = [
  "original_path",
  "source",
  "watch",
  "s3_bucket",
  "s3_key_prefix",
  "s3_key",
  "s3_upload_id",
  "started_at_utc",
  "last_activity_at_utc",
  "completed_at_utc",
  "failure_reason",
  "failure_detail",
  "owner",
  "waiting_for",
  "requested_action",
  "supersedes",
  "superseded_by",
  "set_apart",
  "completed_by",
  "create_intent_at_utc",
  "upload_aborts_at_utc",
  "verify_mode",
  "verify_result",
  "tidy_error",
  "etag",
  "part_plan",
] as const;
const NUMBER_FIELDS = [
  "next_part",
  "bytes_sent",
  "file_size",
  "fence",
  "revision",
  "longest_pause_ms",
  "name_number",
  "schema_version",
] as const;

export const LIST_FIELDS = ["status", ...TEXT_FIELDS, ...NUMBER_FIELDS] as const;

type TextField = (typeof TEXT_FIELDS)[number];
type NumberField = (typeof NUMBER_FIELDS)[number];

export type ListedStream = { [K in TextField]?: string } & { [K in NumberField]?: number } & {
  id: string;
  /** As stored; a founding record without one is `processing`; "" when there is no record at all. */
  status: string;
  /** Undefined when the status is none we know. */
  kind: Kind | undefined;
  /** Absent when the row was asked for by id. */
  index?: Index;
  /** ms since 1970: last activity (active) or time of entering. */
  score?: number;
};

/** Undefined when nothing is stored under the id. `values` stand in the order of LIST_FIELDS. */
export function listedStream(id: string, hash: RawHash): ListedStream | undefined {
  if (Object.keys(hash).length === 0) return undefined;
  const status = hash["status"] ?? "processing";
  const row: ListedStream = { id, status, kind: kindOf(status) };
  for (const field of TEXT_FIELDS) {
    const value = hash[field];
    if (value !== undefined) row[field] = displayPath(value);
  }
  for (const field of NUMBER_FIELDS) {
    const value = hash[field];
    if (value !== undefined && /^\d{1,16}$/.test(value)) row[field] = Number(value);
  }
  // Parts are counted from 1: whoever works a size out of it must not meet anything else.
  if (row.next_part !== undefined && (row.next_part < 1 || row.next_part > MAX_PARTS + 1))
    delete row.next_part;
  return row;
}

/** An id that stands in an index while nothing is stored under it. */
export function emptyRow(id: string): ListedStream {
  return { id, status: "", kind: undefined };
}

/** An id under whose name a key of another type stands. */
export function foreignRow(id: string): ListedStream {
  return { ...emptyRow(id), failure_detail: "the key of its record is no hash: something else wrote it" };
}
