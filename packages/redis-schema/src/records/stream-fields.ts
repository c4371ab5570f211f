/** Every field of `stream:<id>:meta` with its meaning, as data: the docs page is made from it, and no field is left out. */
import type { StreamRecord } from "@sluice/core";

export type MetaField = Exclude<keyof StreamRecord, "id"> | "write_token";

export const STREAM_FIELDS: Record<MetaField, string> = {
  original_path: "Absolute path, raw bytes.",
  source: "The volume the file lives on (`SLUICE_SOURCE`).",
  watch: "Name of the watch.",
  s3_bucket: "Bucket.",
  s3_key_prefix: "Effective key prefix; may be empty.",
  s3_key: "Object key; fixed when the first request for the object is about to be sent.",
  name_number:
    "The number in its key, where that is the third or a later name that its path got within a day.",
  s3_metadata_key:
    "Key of the metadata object, where another program's object stands at `<s3_key>.metadata.json`.",
  s3_upload_id: "Multipart upload id; absent before the first full part and for single Puts.",
  status: "`opening`, `processing`, `pending_completion`, `s3_completed`, `completed` or `failed_<reason>`.",
  next_part: "First part number past the unbroken run from part 1.",
  bytes_sent: "Bytes that run covers.",
  part_plan:
    "The part grid: `stepped:<bytes>`, `uniform:<bytes>` or `listed:<count>:<bytes>+stepped:<bytes>`.",
  file_size: "Size last seen on disk, in bytes.",
  file_inode: "Inode.",
  file_birthtime_ns: "Birth time, ns since 1970; absent where the file system keeps none.",
  file_device: "Device number; counts only within one boot.",
  file_boot: "Boot id under which `file_device` holds.",
  file_mtime_ns: "Modification time, ns since 1970.",
  file_ctime_ns: "Change time, ns since 1970.",
  started_at_utc: "When the stream began, ISO.",
  last_activity_at_utc: "Last progress or change of state, ISO.",
  completed_at_utc: "When it completed, ISO.",
  failure_reason: "Why it failed: the `<reason>` of its status.",
  failure_detail: "What exactly happened, in words.",
  owner: "Worker id of the process that holds it; absent for failed and completed streams.",
  fence: "Grows by one with each change of owner.",
  revision: "Grows by one with each write.",
  waiting_for: "JSON: why the stream is not final yet.",
  requested_action: "What an operator asked for and the owner has not done yet.",
  supersedes: "Id of the stream whose place this one took.",
  superseded_by: "Id of the stream that took this one's place.",
  set_apart:
    "Why a failed stream is listed apart, without an alert: `temporary_name`, its file vanished while it bore a temporary suffix.",
  content_type: "Content-Type of the object.",
  completed_by: "What judged the file complete: `idle`, `marker`, `rename`, `finalize` or `term`.",
  longest_pause_ms: "Longest pause seen between its writes, ms.",
  create_intent_at_utc: "When CreateMultipartUpload was about to be sent, by the store's clock, ISO.",
  upload_aborts_at_utc:
    "When the store will abort the upload by itself, ISO; absent without an upload, or where the store sets no limit.",
  verify_mode: "`full`, `edges` or `off`.",
  verify_result: "What the verify pass found.",
  sealed_by: "Worker id that sealed the object.",
  sealed_version: "Version of that worker.",
  sealed_at_utc: "When the object was sealed, ISO.",
  tidy_error: "Why the local file could not be tidied.",
  crc32: "Base64 of the object's CRC32, big-endian.",
  etag: "The object's ETag, without quotes.",
  schema_version: "Version of the record's shape; absent in records of the founding phase.",
  write_token:
    "Names the last command that changed the record, so that the same command sent twice changes nothing.",
};

/** In the order of the wire contract. */
export const META_FIELDS = Object.keys(STREAM_FIELDS) as MetaField[];
