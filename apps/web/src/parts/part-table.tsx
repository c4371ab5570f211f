"use client";
/** Every part by number: range, size, ETag, checksum, attempts, time. Rows are loaded as they become visible. */
import { useQueries } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import type { Part } from "@sluice/core/stream/record";
import { parsePlan } from "@sluice/core/stream/part-plan";
import { formatDuration } from "@sluice/control/units";
import { useTRPC } from "../trpc/client.tsx";
import { Bytes } from "../ui/bytes.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { Time } from "../ui/time.tsx";
import type { Comparison } from "./compare-parts.ts";
import { plannedRange, stateOfPart, type CellState, type PartMap } from "./part-map.ts";
import { cellWord } from "./part-map-view.tsx";

const ROW_PX = 40;
const NARROW_ROW_PX = 92;
const CHUNK = 200;
const OVERSCAN = 6;

const GRID =
  "md:grid md:grid-cols-[3rem_4.5rem_minmax(7rem,1fr)_5.5rem_3rem_4rem_6.5rem] xl:grid-cols-[3.5rem_5.5rem_minmax(18rem,1fr)_6rem_3.5rem_5rem_7rem] min-[88rem]:grid-cols-[4.5rem_minmax(9rem,1.3fr)_5.5rem_minmax(18rem,2fr)_6.5rem_4rem_5rem_8rem] md:items-center md:gap-x-4";
/** The range column is hidden first, because it follows from number and size. */
const RANGE_LOOK = "md:max-[88rem]:hidden";
const COLUMNS = ["Part", "Bytes", "Size", "ETag", "CRC32", "Tries", "Took", "Acknowledged"];

export function PartTable({
  id,
  map,
  words,
  partPlan,
  fileSize,
  selected,
  comparison,
}: {
  id: string;
  map: PartMap;
  words: Record<CellState, string>;
  partPlan: string | undefined;
  fileSize: number;
  selected: number | undefined;
  /** The result of a comparison with S3. */
  comparison: Comparison | undefined;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const narrow = useRef(false);
  const virtual = useVirtualizer({
    count: map.count,
    getScrollElement: () => scroller.current,
    estimateSize: () => (narrow.current ? NARROW_ROW_PX : ROW_PX),
    overscan: OVERSCAN,
    initialRect: { width: 900, height: 420 },
  });
  const items = virtual.getVirtualItems();
  const parts = usePartsOf(
    id,
    items.map((item) => item.index + 1),
  );
  useEffect(() => {
    if (selected !== undefined) virtual.scrollToIndex(selected - 1, { align: "center" });
  }, [selected, virtual]);
  const plan = partPlan === undefined ? undefined : parsePlan(partPlan);
  return (
    <div
      ref={scroller}
      role="table"
      aria-label="Parts"
      aria-rowcount={map.count + 1}
      tabIndex={0}
      className="max-h-120 overflow-auto text-sm"
    >
      <Header />
      <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const n = item.index + 1;
          return (
            <div
              key={n}
              ref={virtual.measureElement}
              data-index={item.index}
              role="row"
              aria-rowindex={n + 1}
              aria-current={n === selected || undefined}
              className="absolute inset-x-0 top-0 border-b border-line aria-[current]:bg-accent-soft"
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <PartRow
                n={n}
                part={parts.get(n)}
                map={map}
                words={words}
                range={plannedRange(plan, n, fileSize)}
                verdict={verdictOf(comparison, n)}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** The recorded parts with these numbers, as far as they are loaded. */
function usePartsOf(id: string, numbers: readonly number[]): ReadonlyMap<number, Part> {
  const trpc = useTRPC();
  const answers = useQueries({
    queries: chunksOf(numbers).map((chunk) =>
      trpc.streams.parts.queryOptions({ id, from: chunk * CHUNK + 1, to: (chunk + 1) * CHUNK }),
    ),
  });
  return new Map(
    answers.flatMap((answer) => answer.data?.parts ?? []).map((part) => [part.PartNumber, part]),
  );
}

function Header() {
  return (
    <div role="rowgroup" className="sticky top-0 z-10 border-b border-line bg-surface max-md:hidden">
      <div role="row" aria-rowindex={1} className={`${GRID} px-4 py-2`}>
        {COLUMNS.map((name) => (
          <div
            key={name}
            role="columnheader"
            className={`text-xs font-medium text-muted ${name === "Bytes" ? RANGE_LOOK : ""}`}
          >
            {name}
          </div>
        ))}
      </div>
    </div>
  );
}

function PartRow({
  n,
  part,
  map,
  words,
  range,
  verdict,
}: {
  n: number;
  part: Part | undefined;
  map: PartMap;
  words: Record<CellState, string>;
  range: { offset: number; size: number } | undefined;
  verdict: string | undefined;
}) {
  const offset = part?.Offset ?? range?.offset;
  const size = part?.Size ?? range?.size;
  const state = stateOfPart(map, n);
  const acknowledged = state === "sent" || state === "again";
  return (
    <div className={`${GRID} flex flex-wrap gap-x-4 px-4 py-2 md:min-h-10 md:py-1`}>
      <div role="cell" className="num font-medium">
        <span className="md:hidden">Part </span>
        {n}
      </div>
      <div role="cell" className={`num truncate text-muted ${RANGE_LOOK}`}>
        {offset === undefined || size === undefined
          ? "–"
          : `${offset.toLocaleString("en-GB")}–${(offset + size - 1).toLocaleString("en-GB")}`}
      </div>
      <div role="cell">{size === undefined ? "–" : <Bytes n={size} />}</div>
      <div role="cell" className="flex min-w-0 items-center gap-1">
        {part === undefined ? (
          <span className="text-muted">{acknowledged ? "…" : cellWord(map, words, n)}</span>
        ) : (
          <>
            <code className="truncate" data-etag={n}>
              {part.ETag}
            </code>
            <CopyButton text={part.ETag} what={`ETag of part ${n}`} />
          </>
        )}
        {verdict && part !== undefined && (
          <span className={`shrink-0 text-xs ${verdict === SAME ? "text-good" : "text-bad"}`}>{verdict}</span>
        )}
      </div>
      <div role="cell" className="truncate">
        <code>{part?.ChecksumCRC32 ?? "–"}</code>
      </div>
      <div role="cell" className={`num ${state === "again" ? "font-medium text-warn" : ""}`}>
        {part === undefined ? "–" : part.Copied ? "copied" : (part.Attempts ?? 1)}
      </div>
      <div role="cell" className="num text-muted">
        {part?.DurationMs === undefined ? "–" : formatDuration(part.DurationMs)}
      </div>
      <div role="cell" className="text-muted">
        <Time at={part?.UploadedAt} />
      </div>
    </div>
  );
}

const SAME = "same in S3";

function verdictOf(comparison: Comparison | undefined, n: number): string | undefined {
  if (comparison?.kind !== "parts") return undefined;
  return comparison.differences.find(({ PartNumber }) => PartNumber === n)?.what ?? SAME;
}

/** The chunks (counted from 0) that contain these part numbers. */
function chunksOf(numbers: readonly number[]): number[] {
  return [...new Set(numbers.map((n) => Math.floor((n - 1) / CHUNK)))];
}
