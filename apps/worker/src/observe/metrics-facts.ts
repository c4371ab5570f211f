/** What the gauges read, taken from the running worker. */
import type { Clock, StoreGate } from "@sluice/core";
import type { OrphanStore } from "@sluice/redis-schema";
import type { Worker } from "../start/app.ts";
import type { MetricsFacts } from "./metrics.ts";
import { soon } from "./soon.ts";
import { unshippedBytes } from "../streams/processor-pool.ts";

export function metricsFacts(
  worker: Worker,
  gate: StoreGate,
  orphans: OrphanStore,
  clock: Pick<Clock, "sleep">,
): MetricsFacts {
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
    pathsMended: () => worker.supervisor.mended,
    storeBlocked: () => gate.state.blocked,
    redisBlocked: () => worker.lease.trouble !== undefined,
    async orphans() {
      const found = await soon(orphans.orphans(), clock);
      if (found === undefined) return undefined;
      return { uploads: found.length, bytes: found.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0) };
    },
  };
}
