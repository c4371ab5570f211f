/** Values of the hashes by upload id: `uploads:to_abort` and `orphans`. */
import { z } from "zod";
import { parseJson, type Parsed } from "./codec.ts";
import { named, time } from "./scalars.ts";

const toAbortSchema = z.object({
  s3_upload_id: named,
  s3_bucket: named,
  /** Absent for a record of an early version: the store's list of uploads under the prefix has the key. */
  s3_key: z.exactOptional(named),
  s3_key_prefix: z.exactOptional(z.string()),
  stream_id: z.exactOptional(named),
  source: z.exactOptional(z.string()),
  who: z.string(),
  at_utc: time,
});
export type UploadToAbort = z.infer<typeof toAbortSchema>;

/** An upload that a worker has to abort; `corrupt` if its entry cannot be read. */
export function parseToAbort(text: string): Parsed<UploadToAbort> {
  return parseJson(toAbortSchema, text);
}

/** `only_copy`: ours, kept by a purge, and its file is gone: never aborted unless it is named. */
export const VERDICTS = ["ours", "only_copy", "foreign", "unknown"] as const;
export type Verdict = (typeof VERDICTS)[number];

const orphanSchema = z.object({
  s3_upload_id: named,
  s3_bucket: named,
  s3_key: named,
  verdict: z.enum(VERDICTS),
  /** The reason for the verdict, in words. */
  because: z.string(),
  initiated_at_utc: z.exactOptional(time),
  /** When the store ends it, as it reported or as is known of the store; absent: it has no limit that is known. */
  upload_aborts_at_utc: z.exactOptional(time),
  /** The file that its key maps to, if there is one. */
  original_path: z.exactOptional(z.string()),
  parts: z.exactOptional(z.number().int().nonnegative()),
  bytes: z.exactOptional(z.number().int().nonnegative()),
  first_seen_at_utc: time,
  last_seen_at_utc: time,
});
export type Orphan = z.infer<typeof orphanSchema>;

/** An upload without a stream; `corrupt` if its entry cannot be read, and the next scan writes it again. */
export function parseOrphan(text: string): Parsed<Orphan> {
  return parseJson(orphanSchema, text);
}
