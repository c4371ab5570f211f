/**
 * Full-jitter backoff: attempt × randomness → wait. Never beyond a named maximum, never before the store's own
 * Retry-After.
 */
import { LIMITS } from "../limits.ts";

/** `attempt` counts from 1; `random` is in [0, 1). Returns ms. */
export function backoffMs(attempt: number, random: number, retryAfterMs = 0): number {
  const ceiling = Math.min(LIMITS.retryMostMs, LIMITS.retryFirstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.max(retryAfterMs, Math.ceil(ceiling * random));
}
