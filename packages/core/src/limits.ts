/** Every bound of the worker, with its unit in its name; relations between them are checked when this file loads. */
import { assert } from "./assert.ts";

export const LIMITS = {
  /** A worker's lease in Redis lapses after this long without renewal. */
  leaseTtlMs: 15_000,
  leaseRenewEveryMs: 4_000,
  /** A worker that could not renew for this long stops before Complete. */
  leaseSelfFenceMs: 12_000,
  /** Deadline of one Redis command. */
  redisCommandMs: 5_000,
  /** Deadline of an S3 control request (Head, List, Create, Abort). */
  storeControlMs: 30_000,
  /** Deadline of Complete; kept alive by any received byte. */
  storeCompleteMs: 600_000,
  /** Time a body may take: this much and one second for each `storeSlowestBytesPerSecond`. */
  storeBodyBaseMs: 30_000,
  storeSlowestBytesPerSecond: 64 * 1024,
  /** No byte either way of any request for this long: the store is in trouble, before any request is given up. */
  storeQuietMs: 15_000,
  /** No byte either way for this long ends a request. */
  storeSilenceMs: 60_000,
  /** Trouble that one stream met holds a request of another stream back for at most this long. */
  othersWaitMs: 5_000,
  retryFirstMs: 200,
  retryMostMs: 30_000,
  /** Times the parts of one seal are repaired after InvalidPart before its stream fails. */
  repairRounds: 3,
  /** Times the finished object may differ from what was sent, all of it sent again each time, before its stream fails. */
  verifyRounds: 3,
  /** Times one part may arrive garbled before its stream fails. */
  garbledAttempts: 10,
  /** Times the store may answer one copy with an error before the bytes are sent instead. */
  copyAttempts: 5,
  /** Times the store may refuse one key, while it takes another, before its stream fails. */
  nameRefusals: 5,
  /** One key alone denied for this long fails its stream. */
  deniedKeyMs: 15 * 60_000,
  /** Control requests in flight in the whole worker. */
  controlRequests: 16,
  /** While it is asked about the object of a file about to be deleted, that file has no name: no longer than this. */
  tidyProofMs: 5_000,
  /** A file that waits to be tidied and is not at its path is looked for in the whole watch at most this often. */
  whereIsItEveryMs: 60_000,
  /** Entries of a stream's timeline. */
  logEntries: 200,
  /** A growing file's size goes to Redis at most this often between parts. */
  progressEveryMs: 5_000,
  /** A stream looks at its file at most this often, however often it is written. */
  lookEveryMs: 50,
  /** A file that is written all the time is looked at this often at least, sooner where a part may be full. */
  lookWhileGrowingMs: 2_000,
  /** A stream that waits for something outside looks again after this. */
  lookAgainMs: 5_000,
  /** Hints waiting to be looked at; past it the rescan finds the rest. */
  pathHints: 50_000,
  /** Names beyond the one found free that keep-both tries before the stream fails, and the highest number it looks at. */
  keyAttempts: 1_000,
  keyNumber: 2 ** 20,
  /** Objects sent in one small request that are in flight at once, and the most bytes of one. */
  smallPuts: 16,
  smallPutBytes: 256 * 1024,
  /** Reads in flight of verify passes, so that a seal does not starve growing files. */
  verifyReads: 2,
  verifyChunkBytes: 4 * 1024 * 1024,
  /** Most bytes of an object that are read back before it is replaced, where digests do not decide. */
  readBackBytes: 64 * 1024 * 1024,
  /** What tails may go up by at least, however little the files grow: a share of the slowest line. */
  tailBytesPerSecond: 64 * 1024,
  /** Traffic for tails that was not used is kept for so long. */
  tailBurstMs: 60_000,
  /** A stream whose turn it is to send its tail, and that does not come, is passed over after this. */
  tailTurnMs: 2_000,
  /** The window really reached is the longest of so much time. */
  tailWindowSeenMs: 5 * 60_000,
  /** A metadata object of 10,000 parts has some 2 MiB; a larger one is not ours. */
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
assert(LIMITS.storeQuietMs < LIMITS.storeControlMs, "a quiet store is told before a deadline passes");
assert(LIMITS.storeQuietMs < LIMITS.storeSilenceMs, "a quiet store is told before a request is given up");
assert(LIMITS.othersWaitMs < LIMITS.retryMostMs, "a stream that met no trouble waits less than one that did");
assert(LIMITS.redisCommandMs < LIMITS.leaseTtlMs, "a renewal that hangs ends before the lease does");
