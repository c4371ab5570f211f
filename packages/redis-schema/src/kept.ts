/** How long, or how many, Redis keeps of each thing: every bound of the wire contract, with its unit in its name. */
import { LIMITS, assert } from "@sluice/core";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export const KEPT = {
  logEntries: LIMITS.logEntries,
  events: 20_000,
  auditEntries: 20_000,
  /** Messages of webhooks that wait; a worker drops the oldest past this, and says so. */
  outbox: 10_000,
  /** Without any worker that delivers, the outbox itself holds no more. */
  outboxMost: 20_000,
  /** The turn of delivering webhooks, without renewal. */
  turnMs: LIMITS.leaseTtlMs,
  leaseMs: LIMITS.leaseTtlMs,
  /** A worker that ended without saying so is listed as gone, with what it last said, for this long. */
  deadWorkerMs: 7 * 24 * HOUR,
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
assert(KEPT.outbox < KEPT.outboxMost, "what is dropped is counted before it goes uncounted");
assert(KEPT.sessionIdleMs <= KEPT.sessionMs, "an idle session ends before the longest one");
