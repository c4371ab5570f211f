/** Why a stream can fail: one row a reason, from which pages, commands and the worker take all they know of it. */

/**
 * How a retry begins, unless the object is stored already or there is no upload. `at_checkpoint`: after the last
 * acknowledged part. Otherwise the parts in S3 are of no use, and all bytes are sent again: `at_byte_0` with another part
 * plan, `under_the_next_name` with another key.
 */
export type RetryBegins = "at_checkpoint" | "at_byte_0" | "under_the_next_name";

interface Failure {
  cause: string;
  /** What an operator can do about it. */
  remedy: string;
  /** The worker resumes the stream by itself when its file is at its path again and can be read. */
  heals: boolean;
  retry: RetryBegins;
}

const TABLE = {
  file_missing_on_resume: {
    cause: "The file was gone when the worker started again.",
    remedy:
      "Put the file back (the stream heals by itself), salvage what S3 holds of it, or purge the record.",
    heals: true,
    retry: "at_checkpoint",
  },
  file_missing: {
    cause: "The file was removed or renamed out of the watch before it was complete.",
    remedy:
      "Put the file back (the stream heals by itself), salvage what S3 holds of it, or purge the record.",
    heals: true,
    retry: "at_checkpoint",
  },
  file_truncated: {
    cause: "The file became shorter than what had been sent already; a new generation took its place.",
    remedy: "Nothing to do: the file as it is now has a stream of its own. Purge this record when you like.",
    heals: false,
    retry: "at_checkpoint",
  },
  file_replaced: {
    cause: "Another file took this path; a new generation took this stream's place.",
    remedy: "Nothing to do: the new file has a stream of its own. Purge this record when you like.",
    heals: false,
    retry: "at_checkpoint",
  },
  incomplete_metadata: {
    cause: "The record in Redis lacks what is needed to go on: a path, a bucket, a key or an upload id.",
    remedy: "Purge the record; a file that is still there is then found again.",
    heals: false,
    retry: "at_checkpoint",
  },
  corrupt_record: {
    cause: "The record in Redis cannot be read.",
    remedy: "Look at the raw record, then purge it; a file that is still there is then found again.",
    heals: false,
    retry: "at_checkpoint",
  },
  access_denied: {
    cause:
      "The store denies access to this key, while others work, or the record names a bucket that this worker was not given.",
    remedy:
      "Allow PutObject and GetObject on this key, or name the bucket in SLUICE_S3_OLD_BUCKETS if it is an earlier one of yours; then retry.",
    heals: false,
    retry: "at_checkpoint",
  },
  object_conflict: {
    cause: "An object of another file or program stands at the key.",
    remedy: "Retry to send all bytes again under the next free name, or move the other object away first.",
    heals: false,
    retry: "under_the_next_name",
  },
  part_limit: {
    cause: "The file outgrew what one object can hold with its part plan.",
    remedy: "Raise SLUICE_PART_SIZE (or SLUICE_EXPECTED_MAX_SIZE) and retry: all bytes go again.",
    heals: false,
    retry: "at_byte_0",
  },
  verify_mismatch: {
    cause:
      "What the store holds is not what was sent or stored, and sending it again did not correct that or was impossible without the file.",
    remedy:
      "Check the store and the network between, and put the file back if it is gone; then retry. Without the file, purge the record.",
    heals: false,
    retry: "at_checkpoint",
  },
  unreadable_file: {
    cause: "The file cannot be read.",
    remedy: "Give the worker's user read permission, then retry.",
    heals: true,
    retry: "at_checkpoint",
  },
  name_refused: {
    cause: "The store does not take an object of this name, while it takes others.",
    remedy: "Rename the file, then retry; or choose another SLUICE_S3_KEY_PREFIX or another store.",
    heals: false,
    retry: "at_checkpoint",
  },
  aborted_by_operator: {
    cause: "An operator aborted the stream.",
    remedy: "Retry to send the file after all, or purge the record.",
    heals: false,
    retry: "at_checkpoint",
  },
} as const satisfies Record<string, Failure>;

export type FailureReason = keyof typeof TABLE;

/** In the order of the table. */
export const FAILURE_REASONS = Object.keys(TABLE) as readonly FailureReason[];

/** The dashboard and the command line show cause and remedy. */
export const FAILURES: Readonly<Record<FailureReason, Failure>> = TABLE;

/** What a record says may be of another version, or of no version at all. */
export function isFailureReason(reason: string | undefined): reason is FailureReason {
  return reason !== undefined && Object.hasOwn(TABLE, reason);
}

export function reasonHeals(reason: string | undefined): boolean {
  return isFailureReason(reason) && FAILURES[reason].heals;
}

/** A reason not known here leaves the parts as they are. */
export function retryBegins(reason: string | undefined): RetryBegins {
  return isFailureReason(reason) ? FAILURES[reason].retry : "at_checkpoint";
}
