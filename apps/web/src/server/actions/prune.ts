/** Takes planned streams out of the history. Their objects, their files and `files:done` stay: nothing is sent again. */
import { pruneHistory } from "@sluice/redis-schema/stream-purge";
import type { PlanRecord, PlanResult } from "@sluice/redis-schema/records/plan";
import type { Hub } from "../hub.ts";

const CHUNK = 500;

/**
 * The plan fixed a moment; whatever completed before it is exactly the planned set, since nothing completes in the past.
 */
export async function pruneStreams(hub: Hub, plan: PlanRecord, ids: readonly string[]): Promise<void> {
  const cutoff = Number(plan.options?.["cutoff"] ?? 0);
  let left = ids.length;
  while (left > 0) {
    const pruned = await pruneHistory(hub.context, cutoff, Math.min(CHUNK, left));
    if (pruned === 0) break;
    left -= pruned;
  }
  for (let from = 0; from < ids.length; from += CHUNK) {
    const chunk = ids.slice(from, from + CHUNK);
    const rows = await hub.reader.rows(chunk);
    const results = chunk.map((id, at): [string, PlanResult] => [
      id,
      rows[at] === undefined
        ? { result: "done" }
        : { result: "refused", detail: "it is kept: it is not in the history" },
    ]);
    await hub.plans.record(plan.token, new Map(results));
  }
}
