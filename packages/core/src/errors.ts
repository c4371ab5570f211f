/** An error says what happened, in a code that never changes, and what to do about it, in plain words. */
import type { FailureReason } from "./stream/state.ts";

/** What a failed call to the store means for the caller. */
export type StoreTrouble =
  /** Outage, time-out, 5xx, reset: the worker waits and tries again without end. */
  | "unreachable"
  /** 5xx to this request, while the bucket answers others: the stream waits, and the worker only if another one meets it too. */
  | "failing"
  /** 503 SlowDown, 429: as an outage, not before `retryAfterMs`. */
  | "throttled"
  /** Credentials expired or refused. */
  | "credentials"
  /** The bucket as a whole is missing, elsewhere or denied. */
  | "bucket"
  /** This key alone, or an old bucket, is denied, while the worker's bucket answers. */
  | "denied"
  /** The worker was not given this bucket: no request was made. */
  | "not_ours"
  /** The store refuses this key, it seems for its name, while another key works. */
  | "name"
  /** The body did not arrive as it was sent (BadDigest): read again, send again. */
  | "garbled"
  /** The store refuses the request itself: a bug of ours or a quirk the profile does not know. */
  | "rejected";

export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly trouble: StoreTrouble;
  /** S3's error code, or the transport's. */
  readonly code: string;
  readonly status: number | undefined;
  /** The request may have been carried out although no answer came. */
  readonly outcomeUnknown: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(init: {
    trouble: StoreTrouble;
    code: string;
    message: string;
    status?: number | undefined;
    outcomeUnknown?: boolean;
    retryAfterMs?: number | undefined;
    cause?: unknown;
  }) {
    super(init.message, { cause: init.cause });
    this.trouble = init.trouble;
    this.code = init.code;
    this.status = init.status;
    this.outcomeUnknown = init.outcomeUnknown ?? false;
    this.retryAfterMs = init.retryAfterMs;
  }
}

/** The stream cannot heal alone: it fails, with everything kept. */
export class StreamFailure extends Error {
  override readonly name = "StreamFailure";
  readonly reason: FailureReason;

  constructor(reason: FailureReason, detail: string, cause?: unknown) {
    super(detail, { cause });
    this.reason = reason;
  }
}

/**
 * The volume does not give the file's bytes just now (EIO, ESTALE and their like): waited for, and never taken for the
 * end of the file.
 */
export class FileError extends Error {
  override readonly name = "FileError";
  /** The system's error code. */
  readonly code: string;

  constructor(code: string, detail: string, cause?: unknown) {
    super(detail, { cause });
    this.code = code;
  }
}

/** Redis did not take a write in time, or is away. Every write is idempotent, so it is tried again. */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
}

/** The stream is not ours any more: another worker took it, or it was purged. Whoever sees it lets go. */
export class OwnershipLostError extends Error {
  override readonly name = "OwnershipLostError";
}

/** The worker is stopping: nothing new is begun. Not a failure of anything. */
export class StoppedError extends Error {
  override readonly name = "StoppedError";
}

/** What an operator can do about a stream that failed. Shown by the dashboard and the CLI. */
export const REMEDIES: Record<FailureReason, { cause: string; remedy: string }> = {
  file_missing_on_resume: {
    cause: "The file was gone when the worker started again.",
    remedy: "Put the file back (the stream heals by itself), or purge the record.",
  },
  file_missing: {
    cause: "The file was removed or renamed out of the watch before it was complete.",
    remedy: "Put the file back (the stream heals by itself), or purge the record.",
  },
  file_truncated: {
    cause: "The file became shorter than what had been sent already; a new generation took its place.",
    remedy: "Nothing to do: the file as it is now has a stream of its own. Purge this record when you like.",
  },
  file_replaced: {
    cause: "Another file took this path; a new generation took this stream's place.",
    remedy: "Nothing to do: the new file has a stream of its own. Purge this record when you like.",
  },
  incomplete_metadata: {
    cause: "The record in Redis lacks what is needed to go on: a path, a bucket, a key or an upload id.",
    remedy: "Purge the record; a file that is still there is then found again.",
  },
  corrupt_record: {
    cause: "The record in Redis cannot be read.",
    remedy: "Look at the raw record, then purge it; a file that is still there is then found again.",
  },
  access_denied: {
    cause:
      "The store denies access to this key, while others work, or the record names a bucket that this worker was not given.",
    remedy:
      "Allow PutObject and GetObject on this key, or name the bucket in SLUICE_S3_OLD_BUCKETS if it is an earlier one of yours; then retry.",
  },
  name_refused: {
    cause: "The store does not take an object of this name, while it takes others.",
    remedy: "Rename the file, then retry; or choose another SLUICE_S3_KEY_PREFIX or another store.",
  },
  object_conflict: {
    cause: "An object of another file or program stands at the key.",
    remedy: "Retry to send all bytes again under the next free name, or move the other object away first.",
  },
  part_limit: {
    cause: "The file outgrew what one object can hold with its part plan.",
    remedy: "Raise SLUICE_PART_SIZE (or SLUICE_EXPECTED_MAX_SIZE) and retry: all bytes go again.",
  },
  verify_mismatch: {
    cause: "What the store holds is not what was sent, and sending it again did not mend it.",
    remedy: "Check the store and the network between; then retry.",
  },
  unreadable_file: {
    cause: "The file cannot be read.",
    remedy: "Give the worker's user read permission, then retry.",
  },
  aborted_by_operator: {
    cause: "An operator aborted the stream.",
    remedy: "Retry to send the file after all, or purge the record.",
  },
};
