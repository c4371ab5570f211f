/**
 * Every field of a stream's record, defined once: its name in Redis, its type, who writes it, whether lists show it,
 * and its meaning. The record's type, the parser of the hash, the rows of the read model and the page about keys are
 * derived from it.
 */

/** The types of fields; `SCHEMAS` in redis-schema parses each of them. */
export type FieldType =
  /** Absolute. */
  | "path"
  /** A non-empty text. */
  | "name"
  | "text"
  /** A whole number that JavaScript represents exactly. */
  | "count"
  /** Decimal text, because inodes and nanoseconds exceed 2^53. */
  | "digits"
  /** ISO text. */
  | "time"
  | "status"
  | "part_number"
  | "part_plan"
  | "completed_by"
  | "verify_mode"
  | "set_apart"
  | "source_state";

/** Who writes a field, as shown on the page about keys. */
export const WRITERS = {
  opening: "worker, with the first record",
  upload: "worker, as it opens and fills the upload",
  look: "worker, when it looks at the file",
  seal: "worker, when the object is stored",
  end: "worker, when the stream ends",
  move: "worker, with each change of state",
  operator: "worker, for an operator",
  script: "the script of each write",
} as const;

interface Field {
  type: FieldType;
  /** A record without it is from an early version, and is completed when it is resumed. */
  required?: true;
  /** Lists and the read model show it. */
  listed?: true;
  by: keyof typeof WRITERS;
  doc: string;
}

/** In the documented order. `id` is not a field: it is part of the key. */
export const FIELDS = {
  original_path: {
    type: "path",
    required: true,
    listed: true,
    by: "opening",
    doc: "Absolute path, raw bytes.",
  },
  source: {
    type: "name",
    required: true,
    listed: true,
    by: "opening",
    doc: "The volume that the file is on (`SLUICE_SOURCE`).",
  },
  watch: { type: "text", required: true, listed: true, by: "opening", doc: "Name of the watch." },
  s3_bucket: { type: "name", required: true, listed: true, by: "opening", doc: "Bucket." },
  s3_key_prefix: {
    type: "text",
    required: true,
    listed: true,
    by: "opening",
    doc: "Effective key prefix; may be empty.",
  },
  s3_key: {
    type: "name",
    listed: true,
    by: "upload",
    doc: "Object key; fixed when the first request for the object is about to be sent.",
  },
  name_number: {
    type: "count",
    by: "upload",
    listed: true,
    doc: "The number in its key, if that is the third or a later name that its path got within a day.",
  },
  s3_metadata_key: {
    type: "name",
    by: "seal",
    doc: "Key of the metadata object, if another program's object exists at `<s3_key>.metadata.json`.",
  },
  s3_upload_id: {
    type: "name",
    listed: true,
    by: "upload",
    doc: "Multipart upload id; absent before the first full part and for single Puts.",
  },
  status: {
    type: "status",
    required: true,
    listed: true,
    by: "move",
    doc: "`opening`, `processing`, `pending_completion`, `s3_completed`, `completed` or `failed_<reason>`.",
  },
  next_part: {
    type: "part_number",
    required: true,
    listed: true,
    by: "upload",
    doc: "First part number after the contiguous run from part 1.",
  },
  bytes_sent: { type: "count", required: true, listed: true, by: "upload", doc: "Bytes in that run." },
  part_plan: {
    type: "part_plan",
    required: true,
    listed: true,
    by: "upload",
    doc: "The part grid: `stepped:<bytes>`, `uniform:<bytes>`, `listed:<count>:<bytes>+stepped:<bytes>` or, if an earlier object is extended, `copied:<bytes>x<parts>+` and one of the first two.",
  },
  file_size: {
    type: "count",
    required: true,
    listed: true,
    by: "look",
    doc: "Size last seen on disk, in bytes.",
  },
  file_inode: { type: "digits", by: "look", doc: "Inode." },
  file_birthtime_ns: {
    type: "digits",
    by: "look",
    doc: "Birth time, ns since 1970; absent if the file system stores none.",
  },
  file_device: { type: "digits", by: "look", doc: "Device number; counts only within one boot." },
  file_boot: { type: "name", by: "look", doc: "Boot id for which `file_device` is valid." },
  file_mtime_ns: { type: "digits", by: "look", doc: "Modification time, ns since 1970." },
  file_ctime_ns: { type: "digits", by: "look", doc: "Change time, ns since 1970." },
  started_at_utc: {
    type: "time",
    required: true,
    listed: true,
    by: "opening",
    doc: "When the stream began, ISO.",
  },
  last_activity_at_utc: {
    type: "time",
    required: true,
    listed: true,
    by: "move",
    doc: "Last progress or change of state, ISO.",
  },
  unprotected_since_utc: {
    type: "time",
    listed: true,
    by: "look",
    doc: "Since when the file has had its oldest byte that is not protected, ISO: it is at least so old. Absent when there is none.",
  },
  protected_bytes: {
    type: "count",
    listed: true,
    by: "upload",
    doc: "Bytes of the file, from its first on, that survive the loss of the host. Fewer than `bytes_sent` while it is not certain which request for a part's number was the last. Absent where no safeguard is on: then they are `bytes_sent`.",
  },
  protected_at_utc: {
    type: "time",
    listed: true,
    by: "upload",
    doc: "When the last of `protected_bytes` came to be so, ISO.",
  },
  completed_at_utc: { type: "time", listed: true, by: "end", doc: "When it completed, ISO." },
  failure_reason: {
    type: "text",
    listed: true,
    by: "end",
    doc: "Why it failed: the `<reason>` of its status.",
  },
  failure_detail: { type: "text", listed: true, by: "end", doc: "What exactly happened, in words." },
  owner: {
    type: "name",
    listed: true,
    by: "script",
    doc: "Worker id of the process that holds it; absent for failed and completed streams.",
  },
  fence: {
    type: "count",
    required: true,
    listed: true,
    by: "script",
    doc: "Grows by one with each change of owner.",
  },
  revision: {
    type: "count",
    required: true,
    listed: true,
    by: "script",
    doc: "Grows by one with each write.",
  },
  waiting_for: { type: "text", listed: true, by: "look", doc: "JSON: why the stream is not final yet." },
  requested_action: {
    type: "text",
    listed: true,
    by: "operator",
    doc: "An operator's request that the owner has not carried out yet.",
  },
  supersedes: {
    type: "name",
    listed: true,
    by: "opening",
    doc: "Id of the stream that this one replaced.",
  },
  superseded_by: {
    type: "name",
    listed: true,
    by: "end",
    doc: "Id of the stream that replaced this one.",
  },
  extends: {
    type: "text",
    by: "upload",
    doc: "ETag of the earlier object at its key from which the upload's copied parts are taken; absent if all bytes are sent.",
  },
  set_apart: {
    type: "set_apart",
    listed: true,
    by: "end",
    doc: "Why a failed stream is listed separately, without an alert: `temporary_name`, its file vanished while it had a temporary suffix.",
  },
  source_state: {
    type: "source_state",
    listed: true,
    by: "look",
    doc: "Where its file was when a worker of its source looked last: `present`, `missing`, `replaced` (another file, or a shorter one, is at its path) or `unknown` (its watch is offline, or it cannot be read). Kept current for failed streams too.",
  },
  failed_at_utc: { type: "time", listed: true, by: "end", doc: "When it failed, ISO." },
  content_type: { type: "text", by: "opening", doc: "Content-Type of the object." },
  completed_by: {
    type: "completed_by",
    listed: true,
    by: "seal",
    doc: "What judged the file complete: `idle`, `marker`, `rename`, `finalize` or `term`; `salvage`: nothing did, the object holds what S3 had of it.",
  },
  last_known_size: {
    type: "count",
    listed: true,
    by: "operator",
    doc: "Of a salvaged stream: the size its file was last seen with. What lies past `file_size`, the object's size, is lost unless the file comes back.",
  },
  longest_pause_ms: {
    type: "count",
    required: true,
    listed: true,
    by: "look",
    doc: "Longest pause seen between its writes, ms.",
  },
  create_intent_at_utc: {
    type: "time",
    listed: true,
    by: "upload",
    doc: "When CreateMultipartUpload was about to be sent, on the store's clock, ISO.",
  },
  upload_aborts_at_utc: {
    type: "time",
    listed: true,
    by: "upload",
    doc: "When the store will abort the upload, ISO; absent without an upload, or if the store has no limit.",
  },
  verify_mode: {
    type: "verify_mode",
    required: true,
    listed: true,
    by: "opening",
    doc: "`full`, `edges` or `off`.",
  },
  verify_result: { type: "text", listed: true, by: "seal", doc: "What the verify pass found." },
  sealed_by: { type: "text", by: "seal", doc: "Worker id that sealed the object." },
  sealed_version: { type: "text", by: "seal", doc: "Version of that worker." },
  sealed_at_utc: { type: "time", by: "seal", doc: "When the object was sealed, ISO." },
  tidy_error: { type: "text", listed: true, by: "end", doc: "Why the local file could not be tidied." },
  crc32: { type: "text", by: "seal", doc: "Base64 of the object's CRC32, big-endian." },
  etag: { type: "text", listed: true, by: "seal", doc: "The object's ETag, without quotes." },
  schema_version: {
    type: "count",
    required: true,
    listed: true,
    by: "opening",
    doc: "Version of the record's shape; absent in records of early versions.",
  },
} as const satisfies Record<string, Field>;

export type FieldName = keyof typeof FIELDS;

export const FIELD_NAMES = Object.keys(FIELDS) as readonly FieldName[];

export type RequiredField = {
  [K in FieldName]: (typeof FIELDS)[K] extends { required: true } ? K : never;
}[FieldName];

export type ListedField = {
  [K in FieldName]: (typeof FIELDS)[K] extends { listed: true } ? K : never;
}[FieldName];

/** Fields whose value is a number in JavaScript. */
export type NumberField = {
  [K in FieldName]: (typeof FIELDS)[K]["type"] extends "count" | "part_number" ? K : never;
}[FieldName];

/** A record without this field is incomplete. */
export function isRequired(name: FieldName): name is RequiredField {
  const field: Field = FIELDS[name];
  return field.required === true;
}

/** Lists and the dashboard read this field of every stream. */
export function isListed(name: FieldName): name is ListedField {
  const field: Field = FIELDS[name];
  return field.listed === true;
}

/** The field is a number in the record, and decimal text in Redis. */
export function isNumber(name: FieldName): name is NumberField {
  const { type }: Field = FIELDS[name];
  return type === "count" || type === "part_number";
}
