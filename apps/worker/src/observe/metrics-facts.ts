/** The values that gauges read, taken from the running worker. */
import type { Clock, StoreGate } from "@sluice/core";
import type { OrphanStore } from "@sluice/redis-schema";
import type { Worker } from "../start/app.ts";
import type { MetricsFacts } from "./metrics.ts";
import { soon } from "./soon.ts";

export function metricsFacts(
  worker: Worker,
  gate: StoreGate,
  orphans: OrphanStore,
  refusedLinks: (watch: string) => number,
  clock: Pick<Clock, "sleep" | "monotonicMs">,
): MetricsFacts {
  return {
    *streams() {
      for (const { processor, watch } of worker.supervisor.running.values()) {
        const { record, partsInFlight, unshippedBytes, unprotectedBytes, unprotectedSince } = processor;
        const ageMs = unprotectedSince && clock.monotonicMs() - unprotectedSince.atMs;
        const bytes = { unshippedBytes, unprotectedBytes };
        yield { watch: watch.name, record, ...bytes, unprotectedMs: ageMs, partsInFlight };
      }
    },
    *watches() {
      const spaces = new Map(worker.space.known.map((space) => [space.watch, space]));
      for (const { watch, state, unopenedBytes } of worker.runners)
        yield {
          name: watch.name,
          offline: state.state === "offline",
          unopenedBytes,
          refusedLinks: refusedLinks(watch.name),
          space: spaces.get(watch.name),
        };
    },
    pathCorrections: () => worker.supervisor.corrections,
    safeguard: () => worker.tails,
    storeBlocked: () => gate.state.blocked,
    redisBlocked: () => worker.lease.trouble !== undefined,
    async orphans() {
      const found = await soon(orphans.orphans(), clock);
      if (found === undefined) return undefined;
      return { uploads: found.length, bytes: found.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0) };
    },
  };
}
