/** What an action is asked for: ids, or a filter; found afresh, with what the state of each forbids. */
import { z } from "zod";
import { obstacle, type StreamAction } from "@sluice/control/actions";
import { filterSchema, matches, type StreamFilter } from "../../streams/stream-filter.ts";
import type { StreamRow } from "@sluice/control/stream-row";
import type { Hub } from "../hub.ts";
import { filterClock } from "../read-model/list-page.ts";

/** Items of one plan. */
export const MAX_PLAN_ITEMS = 10_000;
const MAX_IDS_IN_REQUEST = 500;
const CHUNK = 500;
const WAIT_FOR_FILL_MS = 15_000;

export const targetSchema = z.union([
  z.object({ ids: z.array(z.string().min(1).max(256)).min(1).max(MAX_IDS_IN_REQUEST) }),
  z.object({ filter: filterSchema }),
]);
export type Target = z.infer<typeof targetSchema>;

export interface Targets {
  /** Read from Redis just now, allowed for the action. */
  rows: StreamRow[];
  excluded: { why: string; count: number }[];
  leftOut: number;
}

export async function findTargets(hub: Hub, action: StreamAction, target: Target): Promise<Targets> {
  const ids = "ids" in target ? target.ids : await idsMatching(hub, target.filter);
  const rows: StreamRow[] = [];
  const excluded = new Map<string, number>();
  let leftOut = 0;
  for (let from = 0; from < ids.length; from += CHUNK) {
    const chunk = ids.slice(from, from + CHUNK);
    const fresh = await hub.reader.rows(chunk);
    chunk.forEach((id, at) => {
      // An id that an index names while nothing is stored under it can be purged too.
      const row = fresh[at] ?? { id, status: "", kind: undefined };
      const why = obstacle(action, row);
      if (why !== undefined) excluded.set(why, (excluded.get(why) ?? 0) + 1);
      else if (rows.length < MAX_PLAN_ITEMS) rows.push(row);
      else leftOut += 1;
    });
  }
  return { rows, leftOut, excluded: [...excluded].map(([why, count]) => ({ why, count })) };
}

async function idsMatching(hub: Hub, filter: StreamFilter): Promise<string[]> {
  await hub.model.whenFilled(WAIT_FOR_FILL_MS);
  const clock = filterClock(hub);
  const ids: string[] = [];
  for (const row of hub.model.rows.values()) {
    if (matches(row, filter, clock)) ids.push(row.id);
  }
  return ids;
}
