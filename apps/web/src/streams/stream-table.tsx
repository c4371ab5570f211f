"use client";
/**
 * The rows of a list. Only visible ones are in the document; a screen reader still gets their position in the whole
 * list. On a phone each row is a small card.
 */
import { ArrowDown, ArrowUp } from "lucide-react";
import Link from "next/link";
import { useRef, type CSSProperties, type ReactNode } from "react";
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
import { useWindowRows } from "./window-rows.ts";

const ROW_PX = 58;
const OVERSCAN = 8;
/** What the server assumes before the browser has measured: enough rows for a first screen. */
const FIRST_PX = 900;

interface CellFacts {
  now: number;
  stallAfterMs: number;
}

/** A width of the window from which columns have room: 48, 64, 80 and 88 rem. */
type From = "md" | "lg" | "xl" | "wide";

interface StreamColumn {
  name: string;
  sort?: Sort;
  /** Its width where it is shown, as a track of a CSS grid; a later one replaces an earlier one. */
  widths: { [K in From]?: string };
  /** The card of a phone shows it too; other columns begin at the first of their widths. */
  onPhone: boolean;
  align?: "right";
  cell: (row: StreamRow, facts: CellFacts) => ReactNode;
}

/** Everything there is to know about a column. The heading, the grid and the rows follow from it. */
export const COLUMNS: readonly StreamColumn[] = [
  {
    name: "File",
    sort: "path",
    widths: { md: "minmax(0,1fr)", lg: "minmax(0,2fr)", xl: "minmax(0,2.6fr)" },
    onPhone: true,
    cell: (row) => <FileCell row={row} />,
  },
  {
    name: "State",
    widths: { md: "9.5rem", lg: "12rem", xl: "11rem", wide: "11.5rem" },
    onPhone: true,
    cell: (row, { now, stallAfterMs }) => (
      <StatusMark
        status={row.status}
        superseded={isSuperseded(row)}
        givenUp={row.set_apart !== undefined}
        partial={isPartial(row)}
        stalled={isStalled(row, now, stallAfterMs)}
      />
    ),
  },
  {
    name: "In S3",
    sort: "size",
    widths: { md: "8.5rem", lg: "minmax(8.5rem,1fr)" },
    onPhone: true,
    cell: (row) => <SentCell row={row} />,
  },
  {
    name: "Lag",
    sort: "lag",
    widths: { lg: "5.5rem" },
    onPhone: false,
    align: "right",
    cell: (row) => <Bytes n={lagBytes(row)} className={lagBytes(row) === 0 ? "text-muted" : ""} />,
  },
  {
    name: "Activity",
    sort: "activity",
    widths: { md: "5.5rem", lg: "6.5rem" },
    onPhone: true,
    align: "right",
    cell: (row) => <Time at={lastActivityAt(row)} className="text-muted max-md:text-xs" />,
  },
  {
    name: "Worker",
    widths: { wide: "minmax(8.5rem,0.9fr)" },
    onPhone: false,
    cell: (row) => (
      <div className="truncate text-muted" title={row.owner ?? ""}>
        {row.owner ?? "–"}
      </div>
    ),
  },
  {
    name: "Started",
    sort: "started",
    widths: { xl: "6.5rem" },
    onPhone: false,
    align: "right",
    cell: (row) => <Time at={startedAt(row)} className="text-muted" />,
  },
];

/** Tailwind compiles only classes that are spelled out. */
const HIDDEN_BELOW: Readonly<Record<From, string>> = {
  md: "max-md:hidden",
  lg: "max-lg:hidden",
  xl: "max-xl:hidden",
  wide: "max-[88rem]:hidden",
};
const STEPS: readonly From[] = ["md", "lg", "xl", "wide"];

/** The tracks of all columns that are shown at this width. */
export function tracks(columns: readonly StreamColumn[], at: From): string {
  const upTo = STEPS.slice(0, STEPS.indexOf(at) + 1);
  return columns.flatMap(({ widths }) => upTo.flatMap((step) => widths[step] ?? []).slice(-1)).join(" ");
}

/** Of a cell and of its heading. */
export function classesOf({ widths, onPhone, align }: StreamColumn): string {
  const from = STEPS.find((step) => widths[step] !== undefined) ?? "md";
  const hidden = onPhone && from === "md" ? "" : HIDDEN_BELOW[from];
  return `${hidden} ${align === "right" ? "md:text-right md:justify-end" : ""}`.trim();
}

/** The tracks of each width are variables, so that the table needs one class whatever its columns are. */
const GRID =
  "md:grid md:grid-cols-(--at-md) lg:grid-cols-(--at-lg) xl:grid-cols-(--at-xl) min-[88rem]:grid-cols-(--at-wide) md:items-center md:gap-x-4";
const TRACKS = Object.fromEntries(
  STEPS.map((step) => [`--at-${step}`, tracks(COLUMNS, step)]),
) as CSSProperties;

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
  const {
    items,
    total: height,
    measure,
  } = useWindowRows({
    list: body,
    keys: rows.map(({ id }) => id),
    estimatePx: ROW_PX,
    firstPx: FIRST_PX,
    overscan: OVERSCAN,
  });
  return (
    <div role="table" aria-label="Streams" aria-rowcount={total + 1} className="text-sm" style={TRACKS}>
      <div role="rowgroup" className="border-b border-line max-md:hidden">
        <div role="row" aria-rowindex={1} className={`${GRID} px-4 py-2`}>
          {COLUMNS.map((column) => (
            <Heading
              key={column.name}
              name={column.name}
              sort={column.sort}
              className={classesOf(column)}
              current={sort}
              dir={dir}
              onSort={onSort}
            />
          ))}
        </div>
      </div>
      <div ref={body} role="rowgroup" className="relative" style={{ height }}>
        {items.map(({ index, start }) => {
          const row = rows[index];
          if (row === undefined) return null;
          return (
            <div
              key={row.id}
              ref={measure}
              data-key={row.id}
              role="row"
              aria-rowindex={preceding + index + 2}
              className="absolute inset-x-0 top-0 border-b border-line hover:bg-sunken/60"
              style={{ transform: `translateY(${start}px)` }}
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
  className,
  current,
  dir,
  onSort,
}: {
  name: string;
  sort: Sort | undefined;
  className: string;
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
  const facts = { now: useNow(), stallAfterMs };
  return (
    <div className={`${GRID} flex flex-col gap-1.5 px-4 py-2.5 md:min-h-[57px] md:py-2`}>
      {COLUMNS.map((column) => (
        <div key={column.name} role="cell" className={`min-w-0 ${classesOf(column)}`}>
          {column.cell(row, facts)}
        </div>
      ))}
    </div>
  );
}

function FileCell({ row }: { row: StreamRow }) {
  return (
    <>
      <Link
        href={`/streams/${encodeURIComponent(row.id)}`}
        className="line-clamp-2 font-medium after:absolute after:inset-0 hover:text-accent"
      >
        <VisibleName text={fileName(pathOf(row))} />
      </Link>
      <div className="truncate text-xs text-muted">
        <VisibleName text={row.s3_key === undefined ? pathOf(row) : `${row.s3_bucket ?? ""}/${row.s3_key}`} />
      </div>
    </>
  );
}

function SentCell({ row }: { row: StreamRow }) {
  const size = row.file_size ?? 0;
  const sent = sentBytes(row);
  const percent = size > 0 ? Math.floor((sent / size) * 100) : row.kind === "completed" ? 100 : 0;
  return (
    <>
      <div className="num mb-1 flex justify-between gap-2 text-xs">
        <Bytes n={sent} />
        <span className="text-muted">{percent} %</span>
      </div>
      <ProgressBar sent={sent} size={size} label={`In S3: ${fileName(pathOf(row))}`} />
    </>
  );
}
