/**
 * `stats:<minute>`: total counters (`parts`); by worker (`parts@<worker>`) counters and what it last reported; by watch
 * (`parts#<source>/<watch>`) counters.
 */
import type { StatsDelta } from "@sluice/core";
import type { RawHash } from "./text.ts";
import type { WorkerRecord } from "./worker.ts";

export const COUNTERS = [
  "bytes_in",
  "bytes_sent",
  "parts",
  "retries",
  "failures",
  "completed",
] as const satisfies (keyof StatsDelta)[];
export type Counter = (typeof COUNTERS)[number];
/**
 * The last value in that minute; times in ms since 1970, `oldest_unshipped_at` 0: everything is in S3. `blocked`: 1 if the
 * worker was blocked at any time in it. A worker of an earlier version reports only the first two.
 */
export const GAUGES = ["lag_bytes", "oldest_unshipped_at", "started_at", "blocked"] as const;
export type Gauge = (typeof GAUGES)[number];

export type Counters = Record<Counter, number>;

export type WorkerMinute = Partial<Record<Counter | Gauge, number>> & {
  /** The source it runs on: a worker that ended leaves no other record of it. */
  source?: string;
};

export interface MinuteStats {
  all: Counters;
  byWorker: Record<string, WorkerMinute>;
  /** By `watchField`; a worker of an earlier version does not count by watch. */
  byWatch: Record<string, Partial<Counters>>;
}

/** A watch in the fields of a minute. No source has a slash. */
export function watchField(source: string, watch: string): string {
  return `${source}/${watch}`;
}

export const NO_COUNTS: Readonly<Counters> = {
  bytes_in: 0,
  bytes_sent: 0,
  parts: 0,
  retries: 0,
  failures: 0,
  completed: 0,
};

/** Counter, amount, counter@worker, amount …: the arguments of HINCRBY. Zero counters are left out. */
export function statsArgs(
  delta: StatsDelta | undefined,
  worker: string,
  { source, watch }: { source: string; watch: string },
): (string | number)[] {
  const flat: (string | number)[] = [];
  const of = watchField(source, watch);
  for (const counter of COUNTERS) {
    const amount = delta?.[counter] ?? 0;
    if (amount !== 0) flat.push(counter, amount, `${counter}@${worker}`, amount, `${counter}#${of}`, amount);
  }
  return flat;
}

/** What a worker reports with each renewal of its lease: the arguments of HSET. Nothing until it has looked at its files. */
export function reportArgs(workerId: string, worker: WorkerRecord): (string | number)[] {
  if (worker.lag_bytes === undefined) return [];
  const oldest = worker.oldest_unshipped_at_utc;
  const report = {
    lag_bytes: worker.lag_bytes,
    oldest_unshipped_at: oldest === undefined ? 0 : Date.parse(oldest),
    source: worker.source,
    started_at: Date.parse(worker.started_at_utc),
    ...(worker.state === "blocked" ? { blocked: 1 } : {}),
  };
  return Object.entries(report).flatMap(([name, value]) => [`${name}@${workerId}`, value]);
}

/** Unknown fields and values that are not numbers are skipped. */
export function parseMinute(hash: RawHash): MinuteStats {
  const all: Counters = { ...NO_COUNTS };
  const byWorker: MinuteStats["byWorker"] = {};
  const byWatch: MinuteStats["byWatch"] = {};
  for (const [field, text] of Object.entries(hash)) {
    const [, name = "", sign, of = ""] = /^([a-z_]+)(?:([@#])(.*))?$/s.exec(field) ?? [];
    if (sign === "@" && name === "source") {
      byWorker[of] = { ...byWorker[of], source: text };
      continue;
    }
    const amount = Number(text);
    if (!Number.isFinite(amount)) continue;
    if (sign === "@" && (isCounter(name) || isGauge(name)))
      byWorker[of] = { ...byWorker[of], [name]: amount };
    else if (!isCounter(name)) continue;
    else if (sign === "#") byWatch[of] = { ...byWatch[of], [name]: amount };
    else all[name] = amount;
  }
  return { all, byWorker, byWatch };
}

function isCounter(name: string): name is Counter {
  return COUNTERS.some((counter) => counter === name);
}

function isGauge(name: string): name is Gauge {
  return GAUGES.some((gauge) => gauge === name);
}
