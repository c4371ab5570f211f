/** How long, or how many, Redis keeps of each thing: every bound of the wire contract, with its unit in its name. */
import { LIMITS, assert } from "@sluice/core";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export const KEPT = {
  logEntries: LIMITS.logEntries,
  events: 20_000,
  auditEntries: 20_000,
  /** Refused sign-ins are kept apart: whoever can only try must not push out what operators did. */
  auditRefusals: 1_000,
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
  /** Of a /24, or of a /48 of IPv6, in one window. */
  loginAttemptsOfRange: 20,
  /** Of everyone, in one window: guessing from many addresses stays slow, and each guess costs us a hash. */
  loginAttemptsInAll: 100,
  sessions: 1_000,
  /** Records, or other answers, asked for in one round trip. */
  pageOfRecords: 500,
} as const;

assert(KEPT.statsMs > 24 * HOUR, "a full day of minutes can be summed");
assert(KEPT.outbox < KEPT.outboxMost, "what is dropped is counted before it goes uncounted");
assert(KEPT.loginAttempts < KEPT.loginAttemptsOfRange, "one address does not use up its range");
assert(KEPT.loginAttemptsOfRange < KEPT.loginAttemptsInAll, "one range does not lock everyone out");
assert(KEPT.sessionIdleMs <= KEPT.sessionMs, "an idle session ends before the longest one");
