/** Every worker seen in the last week: what it reports, its watches, and the streams it holds. */
import type { WatchRecord } from "@sluice/redis-schema/records/watch";
import type { WorkerRecord } from "@sluice/redis-schema/records/worker";
import { indexOfRow, lagBytes } from "@sluice/control/stream-row";
import type { Hub } from "./hub.ts";
import { storeView, type StoreView } from "./store-view.ts";

export interface WorkerView {
  id: string;
  /** In ms since 1970. */
  last_seen_at: number;
  /** Absent if its lease has lapsed. */
  lease?: ShownLease;
  /** What it reported before its lease lapsed. */
  last?: ShownLease;
  trouble?: string;
  watches: { name: string; record?: WatchRecord }[];
  /** What its store can do, according to the probe at its start. */
  store?: StoreView;
  streams: number;
  lag_bytes: number;
  /** In the last hour. */
  hour: { bytes_sent: number; parts: number; retries: number; failures: number; completed: number };
}

type ShownLease = Omit<WorkerRecord, "nonce" | "boot_id" | "pid_namespace" | "store">;

const HOUR_MINUTES = 60;

export async function workerViews(hub: Hub): Promise<WorkerView[]> {
  const [listings, minutes] = await Promise.all([hub.workers.list(), hub.minutes.day()]);
  const held = heldByWorker(hub);
  const hour = minutes.slice(-HOUR_MINUTES);
  return Promise.all(
    listings.map(async ({ id, lastSeenAt, lease }): Promise<WorkerView> => {
      const counts = { bytes_sent: 0, parts: 0, retries: 0, failures: 0, completed: 0 };
      for (const minute of hour) {
        const own = minute.byWorker[id];
        if (own === undefined) continue;
        for (const name of Object.keys(counts) as (keyof typeof counts)[]) counts[name] += own[name] ?? 0;
      }
      const own = held.get(id) ?? { streams: 0, lag: 0 };
      const base = { id, last_seen_at: lastSeenAt, streams: own.streams, lag_bytes: own.lag, hour: counts };
      if (lease.kind === "gone") {
        if (lease.last === undefined) return { ...base, watches: [] };
        const { shown: last } = shownOf(lease.last);
        return { ...base, last, watches: await watchesOf(hub, last) };
      }
      if (lease.kind === "corrupt") return { ...base, watches: [], trouble: lease.detail };
      const { shown, hash } = shownOf(lease.value);
      const watches = await watchesOf(hub, shown);
      const store = await storeView(hub.context, hash);
      return { ...base, lease: shown, watches, ...(store === undefined ? {} : { store }) };
    }),
  );
}

function shownOf(worker: WorkerRecord): { shown: ShownLease; hash: string | undefined } {
  const { nonce: _, boot_id: __, pid_namespace: ___, store: hash, ...shown } = worker;
  return { shown, hash };
}

async function watchesOf(hub: Hub, { source, watches: names }: ShownLease): Promise<WorkerView["watches"]> {
  const records = await hub.watches.loadMany(names.map((name) => ({ source, name })));
  return names.map((name, at) => {
    const record = records[at];
    return record === undefined ? { name } : { name, record };
  });
}

function heldByWorker(hub: Hub): Map<string, { streams: number; lag: number }> {
  const held = new Map<string, { streams: number; lag: number }>();
  for (const row of hub.model.rows.values()) {
    const index = indexOfRow(row);
    if (row.owner === undefined || index === "failed" || index === "completed") continue;
    const own = held.get(row.owner) ?? { streams: 0, lag: 0 };
    held.set(row.owner, { streams: own.streams + 1, lag: own.lag + lagBytes(row) });
  }
  return held;
}
