/** Every limit of the worker, with its unit in its name; relations between them are checked when this file loads. */
import { assert } from "./assert.ts";

export const LIMITS = {
  /** A worker's lease in Redis lapses after this long without renewal. */
  leaseTtlMs: 15_000,
  leaseRenewEveryMs: 4_000,
  /** A worker that could not renew for this long does not send Complete. */
  leaseSelfFenceMs: 12_000,
  /** Deadline of one Redis command. */
  redisCommandMs: 5_000,
  /** Deadline of an S3 control request (Head, List, Create, Abort). */
  storeControlMs: 30_000,
  /** Deadline of Complete; kept alive by any received byte. */
  storeCompleteMs: 600_000,
  /** Time limit for a body: this, plus one second for each `storeSlowestBytesPerSecond`. */
  storeBodyBaseMs: 30_000,
  storeSlowestBytesPerSecond: 64 * 1024,
  /** If no byte of any request moves for this long, the store counts as unavailable, before any request is given up. */
  storeQuietMs: 15_000,
  /** If no byte moves for this long, the request ends. */
  storeSilenceMs: 60_000,
  /** An error that one stream got delays a request of another stream by at most this long. */
  othersWaitMs: 5_000,
  retryFirstMs: 200,
  retryMostMs: 30_000,
  /** The longest wait that a store's Retry-After can ask for: it may be a proxy's, or a mistake. */
  storeWishMs: 5 * 60_000,
  /** How often the parts of one seal are repaired after InvalidPart before its stream fails. */
  repairRounds: 3,
  /** How often the finished object may differ from what was sent (which is then sent again) before its stream fails. */
  verifyRounds: 3,
  /** How often one part may arrive damaged before its stream fails. */
  garbledAttempts: 10,
  /** Uploads lost this soon after one another are lost in a row; after so many that held parts the stream fails. */
  uploadsLostWithinMs: 3_600_000,
  uploadsLost: 10,
  /** Times UploadPart may deny an upload of which nothing is known to be kept, before a new one is begun. */
  uploadContradictions: 5,
  /** How often the store may answer one copy with an error before the bytes are sent instead. */
  copyAttempts: 5,
  /** How often the store may refuse one key, while it accepts another, before its stream fails. */
  nameRefusals: 5,
  /** If only one key is denied for this long, its stream fails. */
  deniedKeyMs: 15 * 60_000,
  /** Concurrent control requests of the whole worker. */
  controlRequests: 16,
  /** Time limit for checking the object of a file that is about to be deleted, because the file is hidden meanwhile. */
  tidyProofMs: 5_000,
  /** A file that waits to be tidied and is not at its path is searched for in the whole watch at most this often. */
  whereIsItEveryMs: 60_000,
  /** Entries of a stream's timeline. */
  logEntries: 200,
  /** A growing file's size is written to Redis at most this often between parts. */
  progressEveryMs: 5_000,
  /** A stream checks its file at most this often, however often it is written. */
  lookEveryMs: 50,
  /** A file that is written continuously is checked at least this often, sooner if a part may be full. */
  lookWhileGrowingMs: 2_000,
  /** The same where the next part is far from full at the rate seen. */
  lookFarFromFullMs: 3_000,
  /** A stream that waits for an external event checks again after this time. */
  lookAgainMs: 5_000,
  /** Waiting hints; beyond this the rescan finds the rest. */
  pathHints: 50_000,
  /**
   * How many names keep-both tries after the one found free before the stream fails, and the highest number it tries.
   */
  keyAttempts: 1_000,
  keyNumber: 2 ** 20,
  /** Concurrent objects sent in one small request, and the maximum size of one. */
  smallPuts: 16,
  smallPutBytes: 256 * 1024,
  /** Concurrent reads of verify passes, so that a seal does not starve growing files. */
  verifyReads: 2,
  verifyChunkBytes: 4 * 1024 * 1024,
  /** Maximum number of bytes of an object that are read back before it is replaced, if digests do not decide. */
  readBackBytes: 64 * 1024 * 1024,
  /** A file shorter than its object's first part is taken for a copy of it when it begins with these bytes of it. */
  copyStartBytes: 64 * 1024,
  /** What tails may go up by at least, however little the files grow: a share of the slowest line. */
  tailBytesPerSecond: 64 * 1024,
  /** Traffic for tails that was not used is kept for so long. */
  tailBurstMs: 60_000,
  /** A stream whose turn it is to send its tail, and that does not come, is passed over after this. */
  tailTurnMs: 2_000,
  /** The window really reached is the longest of so much time. */
  tailWindowSeenMs: 5 * 60_000,
  /** A metadata object of 10,000 parts has about 2 MiB; a larger one is not ours. */
  metadataBytes: 16 * 1024 * 1024,
} as const;

/**
 * Time a body of this size may take; past it the request is given up. Under a bandwidth limit a body waits for its share
 * of it.
 */
export function bodyDeadlineMs(
  bytes: number,
  { bandwidth, uploadConcurrency }: { bandwidth?: number | undefined; uploadConcurrency: number },
): number {
  const share = bandwidth === undefined ? Number.POSITIVE_INFINITY : bandwidth / (2 * uploadConcurrency);
  const slowest = Math.min(LIMITS.storeSlowestBytesPerSecond, share);
  return LIMITS.storeBodyBaseMs + Math.ceil((bytes * 1000) / slowest);
}

assert(LIMITS.leaseRenewEveryMs * 2 < LIMITS.leaseTtlMs, "two renewals may fail before a lease lapses");
assert(LIMITS.leaseSelfFenceMs < LIMITS.leaseTtlMs, "a worker stops by itself before its lease lapses");
assert(LIMITS.storeQuietMs < LIMITS.storeControlMs, "a quiet store is reported before a deadline passes");
assert(LIMITS.storeQuietMs < LIMITS.storeSilenceMs, "a quiet store is reported before a request is given up");
assert(
  LIMITS.othersWaitMs < LIMITS.retryMostMs,
  "a stream without an error waits less than one with an error",
);
assert(
  LIMITS.lookFarFromFullMs < LIMITS.progressEveryMs,
  "the size that is saved of a growing file is never older than two reports",
);
assert(LIMITS.redisCommandMs < LIMITS.leaseTtlMs, "a renewal that hangs ends before the lease does");
