/** How long, or how many, Redis keeps of each thing: every bound of the wire contract, with its unit in its name. */
import { LIMITS, assert } from "@sluice/core";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export const KEPT = {
  logEntries: LIMITS.logEntries,
  events: 20_000,
  auditEntries: 20_000,
  leaseMs: LIMITS.leaseTtlMs,
  /** A worker that ended without saying so is listed as gone for this long. */
  deadWorkerMs: 24 * HOUR,
  requestMs: 24 * HOUR,
  planMs: 15 * MINUTE,
  statsMs: 25 * HOUR,
  sessionMs: 12 * HOUR,
  sessionIdleMs: HOUR,
  loginWindowMs: MINUTE,
  loginAttempts: 5,
  /** Records, or other answers, asked for in one round trip. */
  pageOfRecords: 500,
} as const;

assert(KEPT.statsMs > 24 * HOUR, "a full day of minutes can be summed");
assert(KEPT.sessionIdleMs <= KEPT.sessionMs, "an idle session ends before the longest one");
