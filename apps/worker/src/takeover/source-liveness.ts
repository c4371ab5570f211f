/** Whether a worker of a source is alive, as far as its lease says; asked of Redis at most every few seconds. */
import type { Clock } from "@sluice/core";
import type { WorkerRegistry } from "@sluice/redis-schema";

const LATELY_MS = 2_000;

export function sourceLiveness(
  registry: Pick<WorkerRegistry, "list">,
  clock: Pick<Clock, "monotonicMs">,
): (source: string) => Promise<boolean> {
  let latest: { atMs: number; sources: Promise<ReadonlySet<string>> } | undefined;
  return async (source) => {
    const now = clock.monotonicMs();
    if (latest === undefined || now - latest.atMs > LATELY_MS) {
      const sources = aliveSources(registry);
      latest = { atMs: now, sources };
      // Who asked is told; who comes later asks again.
      sources.catch(() => (latest = undefined));
    }
    return (await latest.sources).has(source);
  };
}

async function aliveSources(registry: Pick<WorkerRegistry, "list">): Promise<ReadonlySet<string>> {
  const listings = await registry.list();
  return new Set(listings.flatMap(({ lease }) => (lease.kind === "ok" ? [lease.value.source] : [])));
}
