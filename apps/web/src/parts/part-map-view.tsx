"use client";
/**
 * The part map: one cell per part. Drawn as one SVG path per state, so that 10,000 cells are five elements. For the
 * keyboard and screen readers it is a slider over the parts: the arrow keys move between parts, and each is described.
 */
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent, type MouseEvent } from "react";
import { formatBytes, formatCount, plural } from "@sluice/control/units";
import { cellAt, cellsPath, layoutCells, partAt, type CellLayout } from "./cell-layout.ts";
import { CELL_STATES, stateOfPart, type CellState, type PartMap } from "./part-map.ts";

const FILLS: Record<CellState, string> = {
  sent: "fill-part-sent",
  again: "fill-part-again",
  flight: "fill-part-flight",
  disk: "fill-part-disk",
  guarded: "fill-part-guarded",
  tail: "fill-part-tail",
};
const BACKGROUNDS: Record<CellState, string> = {
  sent: "bg-part-sent",
  again: "bg-part-again",
  flight: "bg-part-flight",
  disk: "bg-part-disk",
  guarded: "bg-part-guarded",
  tail: "bg-part-tail",
};
const BIG_STEP = 100;
/** Used before the browser has measured the width. */
const FIRST_WIDTH_PX = 960;

export interface PartMapViewProps {
  map: PartMap;
  words: Record<CellState, string>;
  /** One line about a part, shown and read aloud. */
  describe: (n: number) => string;
  selected: number | undefined;
  onSelect: (n: number) => void;
}

export function PartMapView({ map, words, describe, selected, onSelect }: PartMapViewProps) {
  const [pointed, setPointed] = useState<number>();
  if (map.count === 0) {
    return <p className="py-2 text-sm text-muted">No part yet: nothing of this file is on disk or in S3.</p>;
  }
  const shown = pointed ?? selected;
  return (
    <div className="flex flex-col gap-3">
      <Cells
        map={map}
        describe={describe}
        current={Math.min(selected ?? 1, map.count)}
        marked={shown}
        onPoint={setPointed}
        onSelect={onSelect}
      />
      <p className="num min-h-5 text-sm text-muted" aria-hidden>
        {shown === undefined ? "Point at a cell, or use the arrow keys." : describe(shown)}
      </p>
      <Legend map={map} words={words} />
    </div>
  );
}

interface CellsProps extends Pick<PartMapViewProps, "map" | "describe" | "onSelect"> {
  /** The part selected by the keyboard. */
  current: number;
  marked: number | undefined;
  onPoint: (n: number | undefined) => void;
}

function Cells({ map, describe, current, marked, onPoint, onSelect }: CellsProps) {
  const box = useRef<HTMLDivElement>(null);
  const hint = useId();
  const width = useWidth(box);
  const layout = useMemo(() => layoutCells(map.count, width), [map.count, width]);
  const paths = useMemo(() => pathsOf(layout, map.runs), [layout, map.runs]);
  const at = (event: MouseEvent<SVGSVGElement>) => {
    const edge = event.currentTarget.getBoundingClientRect();
    return partAt(layout, map.count, event.clientX - edge.left, event.clientY - edge.top);
  };
  return (
    <div ref={box}>
      <div
        role="slider"
        tabIndex={0}
        aria-label="Parts of the stream"
        aria-valuemin={1}
        aria-valuemax={map.count}
        aria-valuenow={current}
        aria-valuetext={describe(current)}
        aria-describedby={hint}
        onKeyDown={(event) => {
          const next = stepOf(event, current, layout.columns, map.count);
          if (next === undefined) return;
          event.preventDefault();
          onSelect(next);
        }}
        className="inline-block rounded-sm outline-offset-4"
      >
        <svg
          width={layout.width}
          height={layout.height}
          viewBox={`0 0 ${layout.width} ${layout.height}`}
          className="part-map block"
          aria-hidden
          onPointerMove={(event) => onPoint(at(event))}
          onPointerLeave={() => onPoint(undefined)}
          onClick={(event) => {
            const n = at(event);
            if (n !== undefined) onSelect(n);
          }}
        >
          {paths.map(({ state, path }) => (
            <path key={state} d={path} className={FILLS[state]} data-state={state} />
          ))}
          <TailMark map={map} layout={layout} />
          {marked !== undefined && <Marker layout={layout} n={marked} />}
        </svg>
      </div>
      <p id={hint} className="heard">
        Arrow keys go from part to part, Page Up and Page Down by a hundred.
      </p>
    </div>
  );
}

/** One path for each state that has cells. */
function pathsOf(layout: CellLayout, runs: PartMap["runs"]) {
  return CELL_STATES.flatMap((state) => {
    const path = cellsPath(
      layout,
      runs.filter((run) => run.state === state),
    );
    return path === "" ? [] : [{ state, path }];
  });
}

/** The tail is not a whole part, so its cell is filled in proportion to the tail's length. */
function TailMark({ map, layout }: { map: PartMap; layout: CellLayout }) {
  if (map.tail_share === 0 || layout.cell < 6) return null;
  const { x, y } = cellAt(layout, map.count);
  const missing = layout.cell * (1 - map.tail_share);
  return (
    <>
      <rect x={x} y={y} width={layout.cell} height={missing} className="fill-surface" />
      <rect
        x={x + 0.5}
        y={y + 0.5}
        width={layout.cell - 1}
        height={layout.cell - 1}
        className="fill-none stroke-part-tail"
        strokeDasharray="2 2"
      />
    </>
  );
}

function Marker({ layout, n }: { layout: CellLayout; n: number }) {
  const { x, y } = cellAt(layout, n);
  return (
    <rect
      x={x - 1}
      y={y - 1}
      width={layout.cell + 2}
      height={layout.cell + 2}
      rx={2}
      className="fill-none stroke-text"
      strokeWidth={2}
    />
  );
}

/**
 * The map in words and numbers, so that nothing is conveyed by colour alone. The bytes are next to the progress bar.
 */
function Legend({ map, words }: Pick<PartMapViewProps, "map" | "words">) {
  return (
    <ul className="flex flex-wrap gap-x-5 gap-y-1.5 text-sm">
      {CELL_STATES.map((state) => {
        const { parts, bytes } = map.totals[state];
        return (
          <li
            key={state}
            title={`${plural(parts, "part")}, ${formatBytes(bytes)}`}
            className={`flex items-center gap-2 ${parts === 0 ? "text-muted" : ""}`}
          >
            <span aria-hidden className={`swatch size-3 rounded-[3px] ${BACKGROUNDS[state]}`} />
            <span>
              <span className="inline-block first-letter:uppercase">{words[state]}</span>{" "}
              <span className="num font-medium">
                {(state === "tail" || state === "guarded") && bytes > 0
                  ? formatBytes(bytes)
                  : formatCount(parts)}
              </span>
            </span>
          </li>
        );
      })}
    </ul>
  );
}

/** The map as sentences, run by run. */
export function PartMapText({ map, words }: Pick<PartMapViewProps, "map" | "words">) {
  return (
    <ol
      className="num max-h-72 list-none space-y-0.5 overflow-y-auto text-sm"
      tabIndex={0}
      aria-label="The part map as text"
    >
      {map.runs.map((run) => (
        <li key={run.from}>
          {run.from === run.to ? `Part ${run.from}` : `Parts ${run.from} to ${run.to}`}: {words[run.state]}
        </li>
      ))}
    </ol>
  );
}

export function cellWord(map: PartMap, words: Record<CellState, string>, n: number): string {
  const state = stateOfPart(map, n);
  return state === undefined ? "not there yet" : words[state];
}

function stepOf(event: KeyboardEvent, n: number, columns: number, count: number): number | undefined {
  const step = {
    ArrowRight: n + 1,
    ArrowLeft: n - 1,
    ArrowDown: n + columns,
    ArrowUp: n - columns,
    PageDown: n + BIG_STEP,
    PageUp: n - BIG_STEP,
    Home: 1,
    End: count,
  }[event.key];
  return step === undefined ? undefined : Math.max(1, Math.min(count, step));
}

function useWidth(box: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(FIRST_WIDTH_PX);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.max(40, Math.floor(entry.contentRect.width)));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return width;
}
