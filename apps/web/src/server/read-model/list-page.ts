/**
 * One page of a list: from the read model once it is filled; before that the first page comes straight from the sorted
 * sets, newest first, and says that the rest is still being read.
 */
import { matches, type View } from "@sluice/control/row-filter";
import { INDEXES, type Index } from "@sluice/core/stream/state";
import { isPlain, rowFilter, sortValue, type Sort } from "../../streams/stream-filter.ts";
import type { StreamRow } from "@sluice/control/stream-row";
import type { Hub } from "../hub.ts";
import type { PageInput } from "../routers/streams.ts";
import { newestFirst } from "./newest-first.ts";
import { selectPage, type Cursor } from "./select-page.ts";

export interface ListPage {
  rows: StreamRow[];
  /** Rows on all pages, and before this one. */
  total: number;
  preceding: number;
  next: string | null;
  previous: string | null;
  /** The streams are still being read: order and filters apply only to what is shown. */
  filling: boolean;
  stall_after_ms: number;
}

/** How long a query that the sorted sets cannot answer waits for the read model. */
const WAIT_FOR_FILL_MS = 8_000;

export async function listPage(hub: Hub, input: PageInput): Promise<ListPage> {
  const isFirst = input.after === undefined && input.before === undefined;
  if (!hub.model.filled && isFirst && isPlain(input.filter)) return coldPage(hub, input);
  if (!(await hub.model.whenFilled(WAIT_FOR_FILL_MS))) return emptyPage(hub);
  const clock = filterClock(hub);
  const wanted = rowFilter(input.filter, clock.stallAfterMs);
  const page = selectPage(hub.model.rows.values(), (row) => matches(row, wanted, clock.now), {
    sort: input.sort,
    dir: input.dir,
    limit: input.limit,
    after: parseCursor(input.after),
    before: parseCursor(input.before),
  });
  const [first, last] = [page.rows[0], page.rows.at(-1)];
  const following = page.total - page.preceding - page.rows.length;
  return {
    ...page,
    next: following > 0 && last !== undefined ? formatCursor(last, input.sort) : null,
    previous: page.preceding > 0 && first !== undefined ? formatCursor(first, input.sort) : null,
    filling: false,
    stall_after_ms: clock.stallAfterMs,
  };
}

/** The time and the limit that decide which streams are stalled. */
export function filterClock(hub: Hub): { now: number; stallAfterMs: number } {
  return { now: Date.now(), stallAfterMs: hub.settings.stallAfterMs };
}

function emptyPage(hub: Hub): ListPage {
  const { stallAfterMs } = hub.settings;
  return {
    rows: [],
    total: 0,
    preceding: 0,
    next: null,
    previous: null,
    filling: true,
    stall_after_ms: stallAfterMs,
  };
}

async function coldPage(hub: Hub, input: PageInput): Promise<ListPage> {
  const indexes = indexesOf(input.filter.view);
  const clock = filterClock(hub);
  const wanted = rowFilter(input.filter, clock.stallAfterMs);
  const [counts, rows] = await Promise.all([
    hub.reader.counts(),
    newestFirst(hub, indexes, input.limit, (row) => matches(row, wanted, clock.now)),
  ]);
  const total = indexes.reduce((sum, index) => sum + counts[index], 0);
  return { ...emptyPage(hub), rows, total };
}

function indexesOf(view: View): readonly Index[] {
  if (view === "all") return INDEXES;
  return [view === "superseded" ? "failed" : view];
}

function formatCursor(row: StreamRow, sort: Sort): string {
  return Buffer.from(JSON.stringify([sortValue(row, sort), row.id])).toString("base64url");
}

/** An invalid cursor starts at the first page. */
export function parseCursor(text: string | undefined): Cursor | undefined {
  if (text === undefined) return undefined;
  try {
    const pair: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    if (!Array.isArray(pair)) return undefined;
    const [value, id] = pair as unknown[];
    const isValue = typeof value === "string" || typeof value === "number";
    return isValue && typeof id === "string" ? { value, id } : undefined;
  } catch {
    // Truncated, or typed by hand.
    return undefined;
  }
}
