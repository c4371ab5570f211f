/**
 * When to check a file after a write. The cost follows the bytes, not the writes: a file that is written ten times a
 * second is checked as often as one that is written once.
 */
import { LIMITS } from "../limits.ts";

export interface Growth {
  /** Between the last two checks; undefined if the last one found no change. */
  bytesPerMs: number | undefined;
  bytesToFullPart: number;
  idleTimeoutMs: number;
}

/**
 * Its pauses are known only up to the interval of checks, which must be small compared to the pause that completes it.
 */
const IDLE_SHARE = 10;

/** A part that takes this many times as long to fill as the file would rest is far from full: the rate may rise so much. */
const FAR = 10;

/** How long after a check a write makes the next one due. 0: at once, as for the first write after a pause. */
export function lookAfterWriteMs({ bytesPerMs, bytesToFullPart, idleTimeoutMs }: Growth): number {
  if (bytesPerMs === undefined) return 0;
  const fullInMs = bytesPerMs > 0 ? bytesToFullPart / bytesPerMs : Infinity;
  const restMs =
    fullInMs > FAR * LIMITS.lookFarFromFullMs ? LIMITS.lookFarFromFullMs : LIMITS.lookWhileGrowingMs;
  return Math.min(restMs, idleTimeoutMs / IDLE_SHARE, fullInMs);
}
