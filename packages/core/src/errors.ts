/** An error says what happened, in a code that never changes, and what to do about it, in plain words. */
import { LIMITS } from "./limits.ts";
import type { FailureReason } from "./stream/failures.ts";

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
  /** As the store asked, as far as that is believed. */
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
    if (init.retryAfterMs !== undefined)
      this.retryAfterMs = Math.min(Math.max(0, init.retryAfterMs), LIMITS.storeWishMs);
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

/** A stored stream has lost its object, and its file too: from then on its record must not say that it is stored. */
export class ObjectLostFailure extends StreamFailure {
  /** Nor does S3 hold its parts. */
  readonly uploadGone: boolean;

  constructor(detail: string, { uploadGone }: { uploadGone: boolean }) {
    super("verify_mismatch", detail);
    this.uploadGone = uploadGone;
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
