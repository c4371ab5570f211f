"use client";
/**
 * The rows of a list. Only visible ones are in the document; a screen reader still gets their position in the whole
 * list. On a phone each row is a small card.
 */
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import Link from "next/link";
import { useRef } from "react";
import { Bytes } from "../ui/bytes.tsx";
import { Time } from "../ui/time.tsx";
import { VisibleName } from "../ui/visible-name.tsx";
import { useNow } from "../ui/clock.ts";
import { ProgressBar } from "./progress-bar.tsx";
import {
  isStalled,
  fileName,
  isSuperseded,
  isPartial,
  lagBytes,
  lastActivityAt,
  pathOf,
  sentBytes,
  startedAt,
  type StreamRow,
} from "@sluice/control/stream-row";
import { StatusMark } from "./status.tsx";
import type { Direction, Sort } from "./stream-filter.ts";

const ROW_PX = 58;
const OVERSCAN = 8;
/** What the server assumes before the browser has measured: enough rows for a first screen. */
const FIRST_RECT = { width: 1_200, height: 900 };

const GRID =
  "md:grid md:grid-cols-[minmax(0,1fr)_9.5rem_8.5rem_5.5rem] lg:grid-cols-[minmax(0,2fr)_12rem_minmax(8.5rem,1fr)_5.5rem_6.5rem] xl:grid-cols-[minmax(0,2.6fr)_11rem_minmax(8.5rem,1fr)_5.5rem_6.5rem_6.5rem] min-[88rem]:grid-cols-[minmax(0,2.6fr)_11.5rem_minmax(8.5rem,1fr)_5.5rem_6.5rem_minmax(8.5rem,0.9fr)_6.5rem] md:items-center md:gap-x-4";

const COLUMNS: readonly { name: string; sort?: Sort; className?: string }[] = [
  { name: "File", sort: "path" },
  { name: "State" },
  { name: "In S3", sort: "size" },
  { name: "Lag", sort: "lag", className: "md:max-lg:hidden md:text-right md:justify-end" },
  { name: "Activity", sort: "activity", className: "md:text-right md:justify-end" },
  { name: "Worker", className: "md:max-[88rem]:hidden" },
  { name: "Started", sort: "started", className: "md:max-xl:hidden md:text-right md:justify-end" },
];

export interface StreamTableProps {
  rows: readonly StreamRow[];
  /** Rows on all pages, and before this one. */
  total: number;
  preceding: number;
  sort: Sort;
  dir: Direction;
  stallAfterMs: number;
  onSort: (sort: Sort, dir: Direction) => void;
}

export function StreamTable({ rows, total, preceding, sort, dir, stallAfterMs, onSort }: StreamTableProps) {
  const body = useRef<HTMLDivElement>(null);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
    scrollMargin: body.current?.offsetTop ?? 0,
    initialRect: FIRST_RECT,
    getItemKey: (at) => rows[at]?.id ?? at,
  });
  return (
    <div role="table" aria-label="Streams" aria-rowcount={total + 1} className="text-sm">
      <div role="rowgroup" className="border-b border-line max-md:hidden">
        <div role="row" aria-rowindex={1} className={`${GRID} px-4 py-2`}>
          {COLUMNS.map((column) => (
            <Heading key={column.name} {...column} current={sort} dir={dir} onSort={onSort} />
          ))}
        </div>
      </div>
      <div ref={body} role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const row = rows[item.index];
          if (row === undefined) return null;
          return (
            <div
              key={row.id}
              ref={virtual.measureElement}
              data-index={item.index}
              role="row"
              aria-rowindex={preceding + item.index + 2}
              className="absolute inset-x-0 top-0 border-b border-line hover:bg-sunken/60"
              style={{ transform: `translateY(${item.start - virtual.options.scrollMargin}px)` }}
            >
              <Row row={row} stallAfterMs={stallAfterMs} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Heading({
  name,
  sort,
  className = "",
  current,
  dir,
  onSort,
}: {
  name: string;
  sort?: Sort;
  className?: string;
  current: Sort;
  dir: Direction;
  onSort: (sort: Sort, dir: Direction) => void;
}) {
  if (sort === undefined) {
    return (
      <div role="columnheader" className={`text-xs font-medium text-muted ${className}`}>
        {name}
      </div>
    );
  }
  const active = sort === current;
  const Arrow = dir === "asc" ? ArrowUp : ArrowDown;
  // Paths are sorted from A; sizes, lags and times from the largest.
  const next = active ? (dir === "asc" ? "desc" : "asc") : sort === "path" ? "asc" : "desc";
  return (
    <div
      role="columnheader"
      aria-sort={active ? (dir === "asc" ? "ascending" : "descending") : "none"}
      className={`flex text-xs font-medium text-muted ${className}`}
    >
      <button
        type="button"
        onClick={() => onSort(sort, next)}
        className={`-mx-1.5 inline-flex min-h-6 items-center gap-1 rounded px-1.5 hover:bg-sunken hover:text-text ${active ? "text-text" : ""}`}
      >
        {name}
        {active && <Arrow aria-hidden className="size-3" />}
      </button>
    </div>
  );
}

function Row({ row, stallAfterMs }: { row: StreamRow; stallAfterMs: number }) {
  const now = useNow();
  const name = fileName(pathOf(row));
  const size = row.file_size ?? 0;
  const sent = sentBytes(row);
  const lag = lagBytes(row);
  const percent = size > 0 ? Math.floor((sent / size) * 100) : row.kind === "completed" ? 100 : 0;
  return (
    <div className={`${GRID} flex flex-col gap-1.5 px-4 py-2.5 md:min-h-[57px] md:py-2`}>
      <div role="cell" className="min-w-0">
        <Link
          href={`/streams/${encodeURIComponent(row.id)}`}
          className="line-clamp-2 font-medium after:absolute after:inset-0 hover:text-accent"
        >
          <VisibleName text={name} />
        </Link>
        <div className="truncate text-xs text-muted">
          <VisibleName
            text={row.s3_key === undefined ? pathOf(row) : `${row.s3_bucket ?? ""}/${row.s3_key}`}
          />
        </div>
      </div>
      <div role="cell" className="min-w-0">
        <StatusMark
          status={row.status}
          superseded={isSuperseded(row)}
          givenUp={row.set_apart !== undefined}
          partial={isPartial(row)}
          stalled={isStalled(row, now, stallAfterMs)}
        />
      </div>
      <div role="cell" className="min-w-0">
        <div className="num mb-1 flex justify-between gap-2 text-xs">
          <Bytes n={sent} />
          <span className="text-muted">{percent} %</span>
        </div>
        <ProgressBar sent={sent} size={size} label={`In S3: ${name}`} />
      </div>
      <div role="cell" className="max-lg:hidden md:text-right">
        <Bytes n={lag} className={lag === 0 ? "text-muted" : ""} />
      </div>
      <div role="cell" className="text-muted max-md:text-xs md:text-right">
        <Time at={lastActivityAt(row)} />
      </div>
      <div role="cell" className="truncate text-muted max-[88rem]:hidden" title={row.owner ?? ""}>
        {row.owner ?? "–"}
      </div>
      <div role="cell" className="text-right text-muted max-xl:hidden">
        <Time at={startedAt(row)} />
      </div>
    </div>
  );
}
