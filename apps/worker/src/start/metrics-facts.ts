/** What the gauges read, taken from the running worker. */
import { CheckpointError, type StoreGate } from "@sluice/core";
import type { OrphanStore } from "@sluice/redis-schema";
import type { Worker } from "../app.ts";
import type { MetricsFacts } from "../health/metrics.ts";
import { unshippedBytes } from "../streams/processor-pool.ts";
import { systemClock } from "../system-clock.ts";

/** A scrape waits no longer for Redis: lag must be seen also while it hangs. */
const SCRAPE_MS = 1_000;

async function soon<T>(read: Promise<T>): Promise<T | undefined> {
  const done = new AbortController();
  const late = systemClock.sleep(SCRAPE_MS, done.signal).then(() => undefined);
  return await Promise.race([read, late]).finally(() => done.abort());
}

export function metricsFacts(worker: Worker, gate: StoreGate, orphans: OrphanStore): MetricsFacts {
  return {
    *streams() {
      for (const running of worker.supervisor.running.values()) {
        const { processor, watch } = running;
        const { record, partsInFlight } = processor;
        yield { watch: watch.name, record, unshippedBytes: unshippedBytes(running), partsInFlight };
      }
    },
    *watches() {
      for (const { watch, state, unopenedBytes } of worker.runners)
        yield { name: watch.name, offline: state.state === "offline", unopenedBytes };
    },
    storeBlocked: () => gate.state.blocked,
    redisBlocked: () => worker.lease.trouble !== undefined,
    async orphans() {
      try {
        const found = await soon(orphans.orphans());
        if (found === undefined) return undefined;
        return { uploads: found.length, bytes: found.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0) };
      } catch (error) {
        // Metrics are asked for most when Redis is away.
        if (error instanceof CheckpointError) return undefined;
        throw error;
      }
    },
  };
}
