/** Why a stream can fail: one row per reason, from which pages, commands and the worker take all they know about it. */

/**
 * How a retry begins, unless the object is already stored or there is no upload. `at_checkpoint`: after the last
 * acknowledged part. Otherwise the parts in S3 cannot be used, and all bytes are sent again: `at_byte_0` with another
 * part plan, `under_the_next_name` with another key.
 */
export type RetryBegins = "at_checkpoint" | "at_byte_0" | "under_the_next_name";

interface Failure {
  cause: string;
  /** What an operator can do about it. */
  remedy: string;
  /** The worker resumes the stream automatically when its file is at its path again and can be read. */
  recovers: boolean;
  retry: RetryBegins;
}

const TABLE = {
  file_missing_on_resume: {
    cause: "The file was gone when the worker started again.",
    remedy:
      "Put the file back (the stream resumes automatically), salvage what S3 holds of it, or purge the record.",
    recovers: true,
    retry: "at_checkpoint",
  },
  file_missing: {
    cause: "The file was removed or renamed out of the watch before it was complete.",
    remedy:
      "Put the file back (the stream resumes automatically), salvage what S3 holds of it, or purge the record.",
    recovers: true,
    retry: "at_checkpoint",
  },
  file_truncated: {
    cause: "The file became shorter than what had been sent; a new generation replaced it.",
    remedy:
      "The present file has its own stream. Salvage what S3 holds of the earlier bytes if they matter; otherwise no action is needed, and this record can be purged.",
    recovers: false,
    retry: "at_checkpoint",
  },
  file_replaced: {
    cause: "Another file is at this path; a new generation replaced this stream.",
    remedy:
      "The new file has its own stream. Salvage what S3 holds of the earlier one if it matters; otherwise no action is needed, and this record can be purged.",
    recovers: false,
    retry: "at_checkpoint",
  },
  incomplete_metadata: {
    cause: "The record in Redis lacks required fields: a path, a bucket, a key or an upload id.",
    remedy: "Purge the record; if the file still exists, it is then found again.",
    recovers: false,
    retry: "at_checkpoint",
  },
  corrupt_record: {
    cause: "The record in Redis cannot be read.",
    remedy: "Check the raw record, then purge it; if the file still exists, it is then found again.",
    recovers: false,
    retry: "at_checkpoint",
  },
  access_denied: {
    cause:
      "The store denies access to this key, while others work, or the record names a bucket that is not configured.",
    remedy:
      "Allow PutObject and GetObject on this key, or add the bucket to SLUICE_S3_OLD_BUCKETS if it is an earlier one of yours; then retry.",
    recovers: false,
    retry: "at_checkpoint",
  },
  object_conflict: {
    cause: "An object of another file or program exists at the key.",
    remedy: "Retry to send all bytes again under the next free name, or move the other object away first.",
    recovers: false,
    retry: "under_the_next_name",
  },
  part_limit: {
    cause: "The file became larger than one object can be with its part plan.",
    remedy: "Raise SLUICE_PART_SIZE (or SLUICE_EXPECTED_MAX_SIZE) and retry: all bytes are sent again.",
    recovers: false,
    retry: "at_byte_0",
  },
  verify_mismatch: {
    cause:
      "The stored data differs from what was sent, and sending it again did not correct that or was impossible without the file.",
    remedy:
      "Check the store and the network, and put the file back if it is missing; then retry. Without the file, purge the record.",
    recovers: false,
    retry: "at_checkpoint",
  },
  unreadable_file: {
    cause: "The file cannot be read.",
    remedy: "Give the worker's user read permission, then retry.",
    recovers: true,
    retry: "at_checkpoint",
  },
  name_refused: {
    cause: "The store refuses an object of this name, while it accepts others.",
    remedy: "Rename the file, then retry; or choose another SLUICE_S3_KEY_PREFIX or another store.",
    recovers: false,
    retry: "at_checkpoint",
  },
  aborted_by_operator: {
    cause: "An operator aborted the stream.",
    remedy: "Retry to upload the file, or purge the record.",
    recovers: false,
    retry: "at_checkpoint",
  },
} as const satisfies Record<string, Failure>;

export type FailureReason = keyof typeof TABLE;

/** In the order of the table. */
export const FAILURE_REASONS = Object.keys(TABLE) as readonly FailureReason[];

/** The dashboard and the command line show cause and remedy. */
export const FAILURES: Readonly<Record<FailureReason, Failure>> = TABLE;

/** A record may contain the reason of another version, or an invalid one. */
export function isFailureReason(reason: string | undefined): reason is FailureReason {
  return reason !== undefined && Object.hasOwn(TABLE, reason);
}

/**
 * Whether a worker resumes such a stream automatically once its file can be read again. False for an unknown
 * reason.
 */
export function reasonRecovers(reason: string | undefined): boolean {
  return isFailureReason(reason) && FAILURES[reason].recovers;
}

/** For an unknown reason, the parts are kept. */
export function retryBegins(reason: string | undefined): RetryBegins {
  return isFailureReason(reason) ? FAILURES[reason].retry : "at_checkpoint";
}
