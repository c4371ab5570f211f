/** Errors have a stable code that says what happened, and a remedy in words. */
import { LIMITS } from "./limits.ts";
import type { FailureReason } from "./stream/failures.ts";

/** What a failed call to the store means for the caller. */
export type StoreTrouble =
  /** Outage, time-out, 5xx, reset: the worker waits and retries without limit. */
  | "unreachable"
  /**
   * 5xx to this request, while the bucket answers others: the stream waits, and the worker only if another stream gets
   * it too.
   */
  | "failing"
  /** 503 SlowDown, 429: as an outage, but not before `retryAfterMs`. */
  | "throttled"
  /** Credentials expired or refused. */
  | "credentials"
  /** The whole bucket is missing, in another region or denied. */
  | "bucket"
  /** Only this key, or an old bucket, is denied, while the worker's bucket answers. */
  | "denied"
  /** The bucket is not one of this worker's: no request was made. */
  | "not_ours"
  /** The store refuses this key, apparently because of its name, while another key works. */
  | "name"
  /** The body arrived damaged (BadDigest): read it again, send it again. */
  | "garbled"
  /** The store refuses the request itself: a bug, or a quirk that the profile does not know. */
  | "rejected";

/** A request that the store did not carry out, or may not have. `trouble` decides who waits, retries or fails. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly trouble: StoreTrouble;
  /** S3's error code, or the transport's. */
  readonly code: string;
  readonly status: number | undefined;
  /** The request may have been carried out although there was no answer. */
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

/** The stream cannot continue without an operator: it fails, with everything kept. */
export class StreamFailure extends Error {
  override readonly name = "StreamFailure";
  readonly reason: FailureReason;

  constructor(reason: FailureReason, detail: string, cause?: unknown) {
    super(detail, { cause });
    this.reason = reason;
  }
}

/** A stored stream has lost its object and its file: from then on its record must not say that it is stored. */
export class ObjectLostFailure extends StreamFailure {
  /** S3 does not have its parts either. */
  readonly uploadGone: boolean;

  constructor(detail: string, { uploadGone }: { uploadGone: boolean }) {
    super("verify_mismatch", detail);
    this.uploadGone = uploadGone;
  }
}

/**
 * The volume cannot deliver the file's bytes now (EIO, ESTALE and similar): the stream waits, and never takes this for
 * the end of the file.
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

/** Redis did not accept a write in time, or is unavailable. Every write is idempotent, so it is retried. */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
}

/**
 * The stream no longer belongs to this worker: another worker took it, or it was purged. Code that sees this releases
 * the stream.
 */
export class OwnershipLostError extends Error {
  override readonly name = "OwnershipLostError";
}

/** The worker is stopping and starts no new work. Not a failure. */
export class StoppedError extends Error {
  override readonly name = "StoppedError";
}
