/**
 * Builders of every key. Each begins with a prefix, so that several installations, or several shards of one, can share
 * a Redis.
 */
import { INDEXES, type Index, type StreamId } from "@sluice/core";
import { KEYS, type KeyFacts } from "./key-table.ts";

const INDEX_KEY = {
  active: KEYS.active.pattern,
  pending_completion: KEYS.pendingCompletion.pattern,
  failed: KEYS.failed.pattern,
  completed: KEYS.completed.pattern,
} as const satisfies Record<Index, string>;

export type Keys = ReturnType<typeof keysWith>;

/** The builders, for one prefix (may be empty). */
export function keysWith(prefix: string) {
  const plain = (facts: KeyFacts) => prefix + facts.pattern;
  /** Replaces each `<…>` of the pattern by the next value, unchanged. */
  const filled = (facts: KeyFacts, ...values: string[]) => {
    let next = 0;
    return prefix + facts.pattern.replace(/<[^>]+>/g, () => values[next++] ?? "");
  };
  const index = (name: Index) => prefix + INDEX_KEY[name];
  return {
    prefix,
    streamMeta: (id: StreamId | string) => filled(KEYS.streamMeta, id),
    streamParts: (id: StreamId | string) => filled(KEYS.streamParts, id),
    streamLog: (id: StreamId | string) => filled(KEYS.streamLog, id),
    /** For SCAN: matches every record. */
    everyMeta: prefix.replaceAll(/[\\*?[\]]/g, "\\$&") + KEYS.streamMeta.pattern.replace(/<[^>]+>/, "*"),
    /** The id in a record's key. */
    idOfMeta: (key: string) => {
      const [before = "", after = ""] = KEYS.streamMeta.pattern.split(/<[^>]+>/);
      return key.slice(prefix.length + before.length, key.length - after.length);
    },
    /** Record, parts and timeline, in the order in which every script takes them. */
    ofStream: (id: StreamId | string) =>
      [KEYS.streamMeta, KEYS.streamParts, KEYS.streamLog].map((facts) => filled(facts, id)),
    index,
    /** All four, in the order of core's INDEXES: scripts identify an index by its place here, counted from 1. */
    indexes: INDEXES.map(index),
    byPath: plain(KEYS.byPath),
    byKey: plain(KEYS.byKey),
    filesDone: plain(KEYS.filesDone),
    filesIgnored: plain(KEYS.filesIgnored),
    watch: (source: string, name: string) => filled(KEYS.watch, source, name),
    workers: plain(KEYS.workers),
    worker: (id: string) => filled(KEYS.worker, id),
    workerLast: (id: string) => filled(KEYS.workerLast, id),
    workerReport: (id: string) => filled(KEYS.workerReport, id),
    requests: plain(KEYS.requests),
    request: (id: string) => filled(KEYS.request, id),
    plan: (token: string) => filled(KEYS.plan, token),
    uploadsToAbort: plain(KEYS.uploadsToAbort),
    orphans: plain(KEYS.orphans),
    events: plain(KEYS.events),
    outbox: plain(KEYS.outbox),
    outboxTurn: plain(KEYS.outboxTurn),
    outboxReported: plain(KEYS.outboxReported),
    outboxResults: plain(KEYS.outboxResults),
    outboxDropped: plain(KEYS.outboxDropped),
    audit: plain(KEYS.audit),
    auditRefused: plain(KEYS.auditRefused),
    /** The minute that contains `ms` (since 1970), in UTC. */
    stats: (ms: number) => filled(KEYS.stats, minuteOf(ms)),
    store: (hash: string) => filled(KEYS.store, hash),
    schema: plain(KEYS.schema),
    epoch: plain(KEYS.epoch),
    session: (hash: string) => filled(KEYS.session, hash),
    sessions: plain(KEYS.sessions),
    login: (range: string) => filled(KEYS.login, range),
  };
}

/** `YYYYMMDDhhmm`, UTC. */
export function minuteOf(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:T]/g, "").slice(0, 12);
}
