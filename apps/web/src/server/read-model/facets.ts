/** The values that lists can be filtered by, with their counts per view. */
import { failureReason } from "@sluice/control/stream-row";
import type { View } from "@sluice/control/row-filter";
import type { Hub } from "../hub.ts";

export interface Facets {
  sources: string[];
  watches: string[];
  workers: string[];
  reasons: string[];
  counts: Record<View, number>;
}

export async function facetsOf(hub: Hub): Promise<Facets> {
  const sources = new Set<string>();
  const watches = new Set<string>();
  const workers = new Set<string>();
  const reasons = new Set<string>();
  for (const row of hub.model.rows.values()) {
    if (row.source) sources.add(row.source);
    if (row.watch) watches.add(row.watch);
    if (row.owner) workers.add(row.owner);
    const reason = failureReason(row);
    if (reason !== undefined) reasons.add(reason);
  }
  const counts = await hub.reader.counts();
  const { superseded } = hub.model.rows.counts;
  const all = counts.active + counts.pending_completion + counts.failed + counts.completed;
  return {
    sources: [...sources].sort(),
    watches: [...watches].sort(),
    workers: [...workers].sort(),
    reasons: [...reasons].sort(),
    counts: { ...counts, failed: counts.failed - superseded, superseded, all },
  };
}
