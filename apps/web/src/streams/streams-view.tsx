"use client";
/**
 * The list and its controls. Visible rows are updated in place; new rows are announced first, so that nothing moves
 * under the pointer.
 */
import { matches } from "@sluice/control/row-filter";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight, RefreshCw, SearchX } from "lucide-react";
import { useQueryStates } from "nuqs";
import { useState } from "react";
import { useLiveBatches, useLiveRefresh } from "../live/live-context.tsx";
import type { LiveBatch } from "../live/live-batch.ts";
import { useTRPC } from "../trpc/client.tsx";
import { formatCount, plural } from "@sluice/control/units";
import { Answered } from "../ui/answered.tsx";
import { Button } from "../ui/button.tsx";
import { useNow } from "../ui/clock.ts";
import { usePreferences } from "../ui/preferences-context.tsx";
import { Empty } from "../ui/states.tsx";
import type { ListPage } from "../server/read-model/list-page.ts";
import { FilterBar } from "./filter-bar.tsx";
import { ExportList } from "./export-list.tsx";
import { FROM_THE_TOP, isNarrowed, listParsers, pageInput, spanOf, type ListParams } from "./list-params.ts";
import { rowFilter, type StreamFilter } from "./stream-filter.ts";
import type { StreamRow } from "@sluice/control/stream-row";
import { StreamTable } from "./stream-table.tsx";

/** While the read model is being filled, the first page is loaded again at this interval. */
const FILLING_MS = 1_000;
/** Counts of views, names of workers: while streams grow, they seldom change. */
const FACETS_EVERY_MS = 5_000;

export function StreamsView() {
  const trpc = useTRPC();
  const [params, setParams] = useQueryStates(listParsers, { history: "push", scroll: true });
  const { timeMode } = usePreferences();
  const input = pageInput(params, spanOf(params, useNow(), timeMode === "utc"));
  const page = useQuery(
    trpc.streams.page.queryOptions(input, {
      placeholderData: keepPreviousData,
      refetchInterval: (query) => (query.state.data?.filling ? FILLING_MS : false),
    }),
  );
  const facets = useQuery(trpc.streams.facets.queryOptions());
  useLiveRefresh(
    (batch) => batch.reset || batch.rows.length > 0 || batch.gone.length > 0,
    () => void facets.refetch(),
    FACETS_EVERY_MS,
  );
  const change = (patch: Partial<ListParams>) => void setParams(patch);
  return (
    <div className="flex flex-col gap-4">
      <FilterBar params={params} facets={facets.data} onChange={change} />
      <section
        aria-label="List of streams"
        className="card min-w-0 overflow-hidden"
        aria-busy={page.isFetching}
      >
        <Answered query={page} what="The list" lines={10}>
          {(data) => (
            <List
              page={data}
              params={params}
              filter={input.filter}
              onChange={change}
              onRefresh={() => void page.refetch()}
            />
          )}
        </Answered>
      </section>
    </div>
  );
}

function List({
  page,
  params,
  filter,
  onChange,
  onRefresh,
}: {
  page: ListPage;
  params: ListParams;
  filter: StreamFilter;
  onChange: (patch: Partial<ListParams>) => void;
  onRefresh: () => void;
}) {
  const fresh = useFreshRows(page.rows, filter, page.stall_after_ms);
  const isFirstPage = params.after === null && params.before === null;
  return (
    <>
      <ListHead
        page={page}
        filter={filter}
        waiting={fresh.unseen}
        onShow={isFirstPage ? onRefresh : () => onChange(FROM_THE_TOP)}
      />
      {page.rows.length === 0 ? (
        <Empty icon={SearchX} title={page.filling ? "Still reading" : EMPTY_TITLE[`${isNarrowed(params)}`]}>
          {page.filling
            ? "The streams are being read from Redis."
            : isNarrowed(params)
              ? "Clear the filters to see other streams."
              : "Streams appear here as soon as a worker sees a file in one of its watches."}
        </Empty>
      ) : (
        <StreamTable
          rows={fresh.rows}
          total={page.total}
          preceding={page.preceding}
          sort={params.sort}
          dir={params.dir}
          stallAfterMs={page.stall_after_ms}
          onSort={(sort, dir) => onChange({ sort, dir, ...FROM_THE_TOP })}
        />
      )}
      <Pager
        previous={page.previous}
        next={page.next}
        onMove={(place) => onChange({ ...FROM_THE_TOP, ...place })}
      />
    </>
  );
}

/** Rows as last reported by the live feed, and the number of other rows that would be on this list by now. */
function useFreshRows(rows: readonly StreamRow[], filter: StreamFilter, stallAfterMs: number) {
  const [changes, setChanges] = useState<ReadonlyMap<string, StreamRow>>(new Map());
  const [unseen, setUnseen] = useState<ReadonlySet<string>>(new Set());
  const [shown, setShown] = useState(rows);
  if (shown !== rows) {
    // A new answer includes every earlier update.
    setShown(rows);
    setChanges(new Map());
    setUnseen(new Set());
  }
  useLiveBatches((batch: LiveBatch) => {
    const here = new Set(rows.map((row) => row.id));
    const ours = batch.rows.filter((row) => here.has(row.id));
    const wanted = rowFilter(filter, stallAfterMs);
    const now = Date.now();
    const others = batch.rows.filter((row) => !here.has(row.id) && matches(row, wanted, now));
    if (ours.length > 0)
      setChanges((before) => new Map([...before, ...ours.map((row) => [row.id, row] as const)]));
    if (others.length > 0) setUnseen((before) => before.union(new Set(others.map((row) => row.id))));
  });
  return { rows: rows.map((row) => changes.get(row.id) ?? row), unseen: unseen.size };
}

const EMPTY_TITLE = { true: "No stream matches", false: "No stream here" } as const;

function ListHead({
  page,
  filter,
  waiting,
  onShow,
}: {
  page: ListPage;
  filter: StreamFilter;
  waiting: number;
  onShow: () => void;
}) {
  return (
    <div className="flex min-h-11 flex-wrap items-center justify-between gap-2 border-b border-line px-4 py-1.5 text-sm">
      <p role="status" className="num text-muted">
        {page.rows.length === 0
          ? plural(page.total, "stream")
          : `${formatCount(page.preceding + 1)}–${formatCount(page.preceding + page.rows.length)} of ${formatCount(page.total)}`}
        {page.filling && " · still reading, newest first"}
      </p>
      <div className="flex flex-wrap items-center gap-2">
        {waiting > 0 && (
          <Button size="small" onClick={onShow}>
            <RefreshCw aria-hidden className="size-3.5" />
            {plural(waiting, "changed stream")} · show
          </Button>
        )}
        <ExportList filter={filter} empty={page.total === 0} />
      </div>
    </div>
  );
}

function Pager({
  previous,
  next,
  onMove,
}: {
  previous: string | null;
  next: string | null;
  onMove: (place: { after?: string; before?: string }) => void;
}) {
  if (previous === null && next === null) return null;
  return (
    <nav aria-label="Pages of the list" className="flex items-center justify-between gap-2 px-4 py-2.5">
      <Button
        size="small"
        unavailable={previous === null ? "this is the first page" : undefined}
        onClick={() => previous !== null && onMove({ before: previous })}
      >
        <ChevronLeft aria-hidden className="size-4" /> Previous
      </Button>
      <Button
        size="small"
        unavailable={next === null ? "this is the last page" : undefined}
        onClick={() => next !== null && onMove({ after: next })}
      >
        Next <ChevronRight aria-hidden className="size-4" />
      </Button>
    </nav>
  );
}
