/** How long, or how many, Redis keeps of each thing: every limit of the schema, with its unit in its name. */
import { LIMITS, assert } from "@sluice/core";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export const KEPT = {
  logEntries: LIMITS.logEntries,
  events: 20_000,
  auditEntries: 20_000,
  /** Refused sign-ins are limited separately, so that they cannot displace the actions of operators. */
  auditRefusals: 1_000,
  /** Waiting webhook messages; beyond this a worker drops the oldest and reports it. */
  outbox: 10_000,
  /** The hard limit of the outbox, which applies while no worker delivers. */
  outboxMost: 20_000,
  /** The last results of webhook messages, and messages that were dropped: about so many. */
  deliveries: 300,
  droppedMessages: 200,
  /** How long the turn of delivering webhooks lasts without renewal. */
  turnMs: LIMITS.leaseTtlMs,
  leaseMs: LIMITS.leaseTtlMs,
  /** How long a worker that ended without notice is listed as gone, with what it last reported. */
  deadWorkerMs: 7 * 24 * HOUR,
  requestMs: 24 * HOUR,
  /** A signed address, after the answer: the dashboard reads it within seconds. */
  signedAddressMs: MINUTE,
  planMs: 15 * MINUTE,
  statsMs: 25 * HOUR,
  sessionMs: 12 * HOUR,
  sessionIdleMs: HOUR,
  loginWindowMs: MINUTE,
  loginAttempts: 5,
  /** For a /24, or a /48 of IPv6, per window. */
  loginAttemptsOfRange: 20,
  /** For all addresses, per window: guessing from many addresses stays slow, and each guess costs us a hash. */
  loginAttemptsInAll: 100,
  sessions: 1_000,
  /** Records, or other answers, read in one round trip. */
  pageOfRecords: 500,
} as const;

assert(KEPT.statsMs > 24 * HOUR, "a full day of minutes can be summed");
assert(KEPT.outbox < KEPT.outboxMost, "what is dropped is counted before it goes uncounted");
assert(KEPT.loginAttempts < KEPT.loginAttemptsOfRange, "one address does not use up its range");
assert(KEPT.loginAttemptsOfRange < KEPT.loginAttemptsInAll, "one range does not lock everyone out");
assert(KEPT.sessionIdleMs <= KEPT.sessionMs, "an idle session ends before the longest one");
