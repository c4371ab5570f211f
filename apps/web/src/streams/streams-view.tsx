"use client";
/** The list and what steers it. Rows on the screen change in place; new ones wait until they cannot jump under a hand. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight, RefreshCw, SearchX } from "lucide-react";
import { useQueryStates } from "nuqs";
import { useState } from "react";
import { useLiveBatches } from "../live/live-context.tsx";
import type { LiveBatch } from "../live/live-batch.ts";
import { codeOf } from "../trpc/query-client.ts";
import { useTRPC } from "../trpc/client.tsx";
import { formatCount, plural } from "../lib/bytes.ts";
import { Button } from "../ui/button.tsx";
import { Empty, Failure, Loading } from "../ui/states.tsx";
import { FilterBar } from "./filter-bar.tsx";
import { FROM_THE_TOP, listParsers, pageInput, type ListParams } from "./list-params.ts";
import { matches } from "./stream-filter.ts";
import type { StreamRow } from "./stream-row.ts";
import { StreamTable } from "./stream-table.tsx";

/** While the read model is being filled, its first page is asked for again this often. */
const FILLING_MS = 1_000;
const FACETS_EVERY_MS = 5_000;
const NO_ROWS: readonly StreamRow[] = [];

export function StreamsView() {
  const trpc = useTRPC();
  const [params, setParams] = useQueryStates(listParsers, { history: "push", shallow: true, scroll: true });
  const input = pageInput(params);
  const page = useQuery(
    trpc.streams.page.queryOptions(input, {
      placeholderData: keepPreviousData,
      refetchInterval: (query) => (query.state.data?.filling ? FILLING_MS : false),
    }),
  );
  const facets = useQuery(trpc.streams.facets.queryOptions(undefined, { refetchInterval: FACETS_EVERY_MS }));
  const fresh = useFreshRows(page.data?.rows ?? NO_ROWS, input.filter, page.data?.stall_after_ms ?? 0);
  const change = (patch: Partial<ListParams>) => void setParams(patch);
  const refresh = () => {
    fresh.clear();
    void page.refetch();
  };
  return (
    <div className="flex flex-col gap-4">
      <FilterBar params={params} facets={facets.data} onChange={change} />
      {page.isError && page.data === undefined ? (
        <Failure
          title="The list could not be read"
          detail={
            codeOf(page.error) === "SERVICE_UNAVAILABLE"
              ? "Redis is not reachable; it heals by itself."
              : page.error.message
          }
          action={<Button onClick={refresh}>Try again</Button>}
        />
      ) : (
        <section
          aria-label="List of streams"
          className="card min-w-0 overflow-hidden"
          aria-busy={page.isFetching}
        >
          <ListHead
            page={page.data}
            waiting={fresh.unseen}
            onShow={() => {
              if (params.after === null && params.before === null) refresh();
              else change(FROM_THE_TOP);
            }}
          />
          {page.data === undefined ? (
            <Loading lines={8} />
          ) : page.data.rows.length === 0 ? (
            <Empty icon={SearchX} title={page.data.filling ? "Still reading" : "No stream matches"}>
              {page.data.filling
                ? "The streams are being read from Redis."
                : "Streams appear here as soon as a worker sees a file in one of its watches."}
            </Empty>
          ) : (
            <StreamTable
              rows={fresh.rows}
              total={page.data.total}
              preceding={page.data.preceding}
              sort={params.sort}
              dir={params.dir}
              stallAfterMs={page.data.stall_after_ms}
              onSort={(sort, dir) => change({ sort, dir, ...FROM_THE_TOP })}
            />
          )}
          <Pager
            previous={page.data?.previous ?? null}
            next={page.data?.next ?? null}
            onMove={(place) => change({ ...FROM_THE_TOP, ...place })}
          />
        </section>
      )}
    </div>
  );
}

/** Rows as the live feed last told them, and how many others would be on this list by now. */
function useFreshRows(
  rows: readonly StreamRow[],
  filter: ReturnType<typeof pageInput>["filter"],
  stallAfterMs: number,
) {
  const [changes, setChanges] = useState<ReadonlyMap<string, StreamRow>>(new Map());
  const [unseen, setUnseen] = useState<ReadonlySet<string>>(new Set());
  const [shown, setShown] = useState(rows);
  if (shown !== rows) {
    // A new answer holds everything told before it.
    setShown(rows);
    setChanges(new Map());
    setUnseen(new Set());
  }
  useLiveBatches((batch: LiveBatch) => {
    const here = new Set(rows.map((row) => row.id));
    const ours = batch.rows.filter((row) => here.has(row.id));
    const clock = { now: Date.now(), stallAfterMs };
    const others = batch.rows.filter((row) => !here.has(row.id) && matches(row, filter, clock));
    if (ours.length > 0)
      setChanges((before) => new Map([...before, ...ours.map((row) => [row.id, row] as const)]));
    if (others.length > 0) setUnseen((before) => before.union(new Set(others.map((row) => row.id))));
  });
  return {
    rows: rows.map((row) => changes.get(row.id) ?? row),
    unseen: unseen.size,
    clear: () => setUnseen(new Set()),
  };
}

function ListHead({
  page,
  waiting,
  onShow,
}: {
  page: { total: number; preceding: number; rows: readonly unknown[]; filling: boolean } | undefined;
  waiting: number;
  onShow: () => void;
}) {
  const first = page === undefined || page.rows.length === 0 ? 0 : page.preceding + 1;
  const last = page === undefined ? 0 : page.preceding + page.rows.length;
  return (
    <div className="flex min-h-11 flex-wrap items-center justify-between gap-2 border-b border-line px-4 py-1.5 text-sm">
      <p role="status" className="num text-muted">
        {page === undefined
          ? "Reading…"
          : `${formatCount(first)}–${formatCount(last)} of ${formatCount(page.total)}`}
        {page?.filling && " · still reading, newest first"}
      </p>
      {waiting > 0 && (
        <Button size="small" onClick={onShow}>
          <RefreshCw aria-hidden className="size-3.5" />
          {plural(waiting, "changed stream")} · show
        </Button>
      )}
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
