/** `stats:<minute>`: total counters (`parts`) and counters by worker (`parts@<worker>`); gauges by worker. */
import type { StatsDelta } from "@sluice/core";
import type { RawHash } from "./text.ts";

export const COUNTERS = [
  "bytes_in",
  "bytes_sent",
  "parts",
  "retries",
  "failures",
  "completed",
] as const satisfies (keyof StatsDelta)[];
export type Counter = (typeof COUNTERS)[number];
/** The last value in that minute; times in ms since 1970, 0: everything is in S3. */
export const GAUGES = ["lag_bytes", "oldest_unshipped_at"] as const;
export type Gauge = (typeof GAUGES)[number];

export type Counters = Record<Counter, number>;

export interface MinuteStats {
  all: Counters;
  byWorker: Record<string, Partial<Record<Counter | Gauge, number>>>;
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
export function statsArgs(delta: StatsDelta | undefined, worker: string): (string | number)[] {
  const flat: (string | number)[] = [];
  for (const counter of COUNTERS) {
    const amount = delta?.[counter] ?? 0;
    if (amount !== 0) flat.push(counter, amount, `${counter}@${worker}`, amount);
  }
  return flat;
}

/** Unknown fields and values that are not numbers are skipped. */
export function parseMinute(hash: RawHash): MinuteStats {
  const all: Counters = { ...NO_COUNTS };
  const byWorker: MinuteStats["byWorker"] = {};
  for (const [field, text] of Object.entries(hash)) {
    const at = field.indexOf("@");
    const name = at < 0 ? field : field.slice(0, at);
    const amount = Number(text);
    if (!Number.isFinite(amount)) continue;
    if (at < 0) {
      if (isCounter(name)) all[name] = amount;
    } else if (isCounter(name) || isGauge(name)) {
      const worker = field.slice(at + 1);
      byWorker[worker] = { ...byWorker[worker], [name]: amount };
    }
  }
  return { all, byWorker };
}

function isCounter(name: string): name is Counter {
  return COUNTERS.some((counter) => counter === name);
}

function isGauge(name: string): name is Gauge {
  return GAUGES.some((gauge) => gauge === name);
}
