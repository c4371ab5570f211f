/** Values of the hashes by path: `files:done` (completed files) and `files:ignored` (purged ones). */
import type { DoneEntry } from "@sluice/core";
import { z } from "zod";
import { parseJson, type Parsed } from "./codec.ts";
import { digits, named, time } from "./scalars.ts";

const size = z.number().int().nonnegative();
/** A worker packs entries with NUL between their fields; no file system and no store has it in a name. */
const text = z.string().regex(/^[^\0]*$/);
const name = text.min(1);

const doneSchema = z.object({
  stream_id: name,
  file_inode: digits,
  file_birthtime_ns: z.exactOptional(digits),
  file_device: z.exactOptional(digits),
  file_boot: z.exactOptional(name),
  file_size: size,
  file_mtime_ns: digits,
  file_ctime_ns: z.exactOptional(digits),
  s3_bucket: name,
  s3_key: name,
  etag: z.exactOptional(text),
  crc32: z.exactOptional(text),
  completed_at_utc: time,
  seen_shorter: z.exactOptional(z.literal(true)),
  longest_pause_ms: z.exactOptional(z.number().nonnegative()),
});

/** What is known of a completed file; `corrupt` if it cannot be read, and the store is asked instead. */
export function parseDone(text: string): Parsed<DoneEntry> {
  return parseJson(doneSchema, text);
}

/** The same as JSON text. */
export function formatDone(entry: DoneEntry): string {
  return JSON.stringify(entry);
}

const ignoredSchema = z.object({
  /** Identity, size and mtime as recorded; absent fields match any file. */
  file_inode: z.exactOptional(digits),
  file_birthtime_ns: z.exactOptional(digits),
  file_size: z.exactOptional(size),
  file_mtime_ns: z.exactOptional(digits),
  stream_id: named,
  who: z.string(),
  at_utc: time,
  reason: z.exactOptional(z.string()),
});

/** The file at this path was purged: it is ignored until it changes or an operator retries the path. */
export type IgnoredEntry = z.infer<typeof ignoredSchema>;

/** The mark that a purge left on a file; `corrupt` counts as no mark. */
export function parseIgnored(text: string): Parsed<IgnoredEntry> {
  return parseJson(ignoredSchema, text);
}
