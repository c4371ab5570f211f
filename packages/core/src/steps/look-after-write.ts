/**
 * When is a write worth a look? What a look costs follows the bytes, not the writes: a file that is written ten times a
 * second is looked at as often as one that is written once.
 */
import { LIMITS } from "../limits.ts";

export interface Growth {
  /** Between the last two looks; undefined when the last one found no change. */
  bytesPerMs: number | undefined;
  bytesToFullPart: number;
  idleTimeoutMs: number;
}

/** Its pauses are known to within a look: that must be little beside the pause that completes it. */
const IDLE_SHARE = 10;

/** How long after a look a write makes the next one due. 0: at once, as for the first write after a pause. */
export function lookAfterWriteMs({ bytesPerMs, bytesToFullPart, idleTimeoutMs }: Growth): number {
  if (bytesPerMs === undefined) return 0;
  const mostMs = Math.min(LIMITS.lookWhileGrowingMs, idleTimeoutMs / IDLE_SHARE);
  return bytesPerMs > 0 ? Math.min(mostMs, bytesToFullPart / bytesPerMs) : mostMs;
}
