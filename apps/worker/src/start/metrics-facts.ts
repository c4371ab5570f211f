/** What the gauges read, taken from the running worker. */
import { CheckpointError, type StoreGate } from "@sluice/core";
import type { OrphanStore } from "@sluice/redis-schema";
import type { Worker } from "../app.ts";
import type { MetricsFacts } from "../health/metrics.ts";

export function metricsFacts(worker: Worker, gate: StoreGate, orphans: OrphanStore): MetricsFacts {
  return {
    *streams() {
      for (const { processor, watch } of worker.supervisor.running.values()) {
        yield { watch: watch.name, record: processor.record, partsInFlight: processor.partsInFlight };
      }
    },
    *watches() {
      for (const { watch, state } of worker.runners)
        yield { name: watch.name, offline: state.state === "offline" };
    },
    blocked: () => gate.state.blocked,
    async orphans() {
      try {
        const found = await orphans.orphans();
        return { uploads: found.length, bytes: found.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0) };
      } catch (error) {
        // Metrics are asked for most when Redis is away.
        if (error instanceof CheckpointError) return undefined;
        throw error;
      }
    },
  };
}
