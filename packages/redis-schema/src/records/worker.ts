/** `worker:<id>`: the lease of one worker process, and what it reports with each renewal. */
import { z } from "zod";
import { parseWith, type Parsed } from "./codec.ts";
import { count, jsonField, named, time } from "./scalars.ts";
import type { RawHash } from "./text.ts";

export const WORKER_STATES = ["ok", "blocked", "draining"] as const;
export type WorkerState = (typeof WORKER_STATES)[number];

const spaceSchema = z.object({
  watch: z.string(),
  /** What users other than root may still write, and what they have in all. */
  free_bytes: z.int().nonnegative(),
  total_bytes: z.int().nonnegative(),
  /** Until nothing is free, at the rate of the last half hour; absent: the disk does not fill, or it is not known yet. */
  full_in_ms: z.exactOptional(z.int().nonnegative()),
  /** Since when SLUICE_FREE_SPACE_WARNING has asked for a warning, ISO. */
  filling_since_utc: z.exactOptional(time),
});
export type WatchSpace = z.infer<typeof spaceSchema>;

const workerSchema = z.object({
  /** Random for each process: distinguishes a worker from a predecessor with the same id. */
  nonce: named,
  boot_id: z.string(),
  pid_namespace: z.string(),
  host: z.string(),
  pid: count,
  /** Start time of the process in clock ticks since boot: distinguishes it from a later process with the same pid. */
  process_started: z.string(),
  version: z.string(),
  source: named,
  watches: jsonField(z.array(z.string())),
  /** The address at which it serves `/livez`, `/readyz` and `/metrics`. */
  http_address: z.exactOptional(z.string()),
  /** The bucket for its files. */
  s3_bucket: z.exactOptional(z.string()),
  /** Where a browser finds its bucket's objects, up to and including the slash before the key. */
  s3_address: z.exactOptional(z.string()),
  /** The hash under which the answers of its store are stored. */
  store: z.exactOptional(z.string()),
  state: z.enum(WORKER_STATES),
  /** Why it is blocked, in words. */
  state_detail: z.exactOptional(z.string()),
  /** Since when it has been in this state, ISO. */
  state_since_utc: z.exactOptional(time),
  /** Absent while a start waits for its store: it has not scanned its watches, and holds no stream under this nonce. */
  lag_bytes: z.exactOptional(count),
  in_flight_bytes: count,
  /** Completed files that are being compared with their CRC32, or wait for it. */
  checking_files: z.exactOptional(count),
  /** Bytes on disk that the loss of the host would lose: its lag, and parts of which it is not certain which request was last. */
  unprotected_bytes: z.exactOptional(count),
  /** SLUICE_TAIL_SAFEGUARD where it is on, and the window really reached of late. */
  tail_window_ms: z.exactOptional(count),
  tail_window_reached_ms: z.exactOptional(count),
  /** Since when its files have had the oldest byte that is not protected, ISO. */
  oldest_unshipped_at_utc: z.exactOptional(time),
  /** `at_least`: it may be older, because the exact time was not recorded. */
  oldest_unshipped_age: z.exactOptional(z.enum(["exact", "at_least"])),
  /** Since when the full part that has waited longest has been full, ISO. */
  behind_since_utc: z.exactOptional(time),
  /** SLUICE_FAILED_UPLOAD_RETENTION: when it ends the uploads of streams that are set apart. */
  failed_upload_retention_ms: z.exactOptional(count),
  /** The disk of each watch; a watch that is absent is one whose space is not known. */
  free_space: z.exactOptional(jsonField(z.array(spaceSchema))),
  started_at_utc: time,
  renewed_at_utc: time,
});

export type WorkerRecord = z.infer<typeof workerSchema>;

/** A worker's lease; `absent` if it has lapsed. */
export function parseWorker(hash: RawHash): Parsed<WorkerRecord> | { kind: "absent" } {
  if (Object.keys(hash).length === 0) return { kind: "absent" };
  return parseWith(workerSchema, hash);
}

/** A lease as Redis holds it; what is undefined is not written. */
export function workerFields(worker: WorkerRecord): Record<string, string | undefined> {
  const fields: Record<string, string | undefined> = {};
  for (const [field, value] of Object.entries(worker)) {
    fields[field] = Array.isArray(value) ? JSON.stringify(value) : String(value);
  }
  return fields;
}
