/**
 * Selects the items of an action from the current state in Redis: those whose state allows it, and why not for the
 * rest.
 */
import { emptyRow, KEPT, redisNowMs, StreamReader, WorkerRegistry } from "@sluice/redis-schema";
import type { ListedStream, SchemaContext } from "@sluice/redis-schema";
import { MAX_PLAN_ITEMS, obstacle, type StreamAction } from "./actions.ts";

export interface Excluded {
  id: string;
  why: string;
}

export interface Chosen {
  rows: ListedStream[];
  excluded: Excluded[];
  /** Allowed items beyond the limit of one plan. */
  leftOut: number;
}

/** `refuse`: further reasons against an item, apart from its state. */
export function choose(
  action: StreamAction,
  rows: readonly ListedStream[],
  refuse: (row: ListedStream) => string | undefined = () => undefined,
  factsOf: (row: ListedStream) => { sourceAlive?: boolean } = () => ({}),
): Chosen {
  const allowed: ListedStream[] = [];
  const excluded: Excluded[] = [];
  for (const row of rows) {
    const why = obstacle(action, row, factsOf(row)) ?? refuse(row);
    if (why === undefined) allowed.push(row);
    else excluded.push({ id: row.id, why });
  }
  return {
    rows: allowed.slice(0, MAX_PLAN_ITEMS),
    excluded,
    leftOut: Math.max(0, allowed.length - MAX_PLAN_ITEMS),
  };
}

/** For a salvage: of each stream whether a worker of its source has a lease. */
export async function sourcesAlive(
  context: SchemaContext,
): Promise<(row: { source?: string | undefined }) => { sourceAlive: boolean }> {
  const listings = await new WorkerRegistry(context).list();
  const alive = new Set(listings.flatMap(({ lease }) => (lease.kind === "ok" ? [lease.value.source] : [])));
  return ({ source }) => ({ sourceAlive: source === undefined || alive.has(source) });
}

/** In the given order. An id that an index lists although its record is missing can be purged too. */
export async function readRows(reader: StreamReader, ids: readonly string[]): Promise<ListedStream[]> {
  const rows: ListedStream[] = [];
  for (let from = 0; from < ids.length; from += KEPT.pageOfRecords) {
    const chunk = ids.slice(from, from + KEPT.pageOfRecords);
    const found = await reader.rows(chunk);
    chunk.forEach((id, at) => rows.push(found[at] ?? emptyRow(id)));
  }
  return rows;
}

/** "3 streams (only failed streams are retried)": counts by reason. */
export function byReason(excluded: readonly Excluded[]): { why: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { why } of excluded) counts.set(why, (counts.get(why) ?? 0) + 1);
  return [...counts].map(([why, count]) => ({ why, count }));
}

/** Older completed streams, the oldest first, up to the limit of one plan: exactly these are removed. */
export async function choosePrunable(
  context: SchemaContext,
  olderThanMs: number,
  limit = MAX_PLAN_ITEMS,
): Promise<{ rows: ListedStream[]; leftOut: number; cutoff: number }> {
  const reader = new StreamReader(context);
  const cutoff = (await redisNowMs(context)) - olderThanMs;
  const rows: ListedStream[] = [];
  let cursor: string | undefined;
  do {
    const page = await reader.page("completed", {
      limit: Math.min(KEPT.pageOfRecords, limit - rows.length),
      newestFirst: false,
      ...(cursor === undefined ? {} : { cursor }),
    });
    const old = page.rows.filter(({ score = 0 }) => score <= cutoff);
    rows.push(...old);
    cursor = old.length < page.rows.length ? undefined : page.next;
  } while (cursor !== undefined && rows.length < limit);
  const all = await reader.countUntil("completed", cutoff);
  return { rows, leftOut: Math.max(0, all - rows.length), cutoff };
}
