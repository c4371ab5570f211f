"use client";
/**
 * The rows of a long list that are in the window, or close to it. Rows have the heights that they turn out to have; until
 * then each counts as an estimate.
 */
import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";
import { flushSync } from "react-dom";

export interface RowItem {
  index: number;
  /** Px below the top of the list. */
  start: number;
}

export interface RowSpan {
  /** Px below the top of the list; what is shown of it. */
  from: number;
  to: number;
}

/** The rows that overlap the span, and `overscan` more on each side; with the height of all. */
export function rowsIn(
  heights: readonly number[],
  { from, to }: RowSpan,
  overscan: number,
): { items: RowItem[]; total: number } {
  const all: RowItem[] = [];
  let total = 0;
  let [first, last] = [heights.length, -1];
  heights.forEach((height, index) => {
    if (total + height > from && total < to) {
      first = Math.min(first, index);
      last = index;
    }
    all.push({ index, start: total });
    total += height;
  });
  // Above or below the window: the row that is closest stays.
  if (last < 0) first = last = from <= 0 ? 0 : heights.length - 1;
  return { items: all.slice(Math.max(0, first - overscan), last + overscan + 1), total };
}

export function useWindowRows({
  list,
  keys,
  estimatePx,
  firstPx,
  overscan,
}: {
  list: RefObject<HTMLElement | null>;
  /** One for each row. */
  keys: readonly string[];
  estimatePx: number;
  /** How much of the list the first rendering fills, which knows no window. */
  firstPx: number;
  overscan: number;
}): { items: RowItem[]; total: number; measure: (row: HTMLElement | null) => void } {
  const [span, setSpan] = useState<RowSpan>({ from: 0, to: firstPx });
  const [known, setKnown] = useState<ReadonlyMap<string, number>>(new Map());
  const observer = useRef<ResizeObserver>(undefined);

  useLayoutEffect(() => {
    const look = () => {
      const top = list.current?.getBoundingClientRect().top ?? 0;
      setSpan({ from: -top, to: window.innerHeight - top });
    };
    look();
    window.addEventListener("scroll", look, { passive: true });
    window.addEventListener("resize", look);
    return () => {
      window.removeEventListener("scroll", look);
      window.removeEventListener("resize", look);
    };
  }, [list]);
  useEffect(() => () => observer.current?.disconnect(), []);

  /** Of a row with its key in `data-key`. */
  const measure = useCallback((row: HTMLElement | null) => {
    if (row === null) return;
    observer.current ??= new ResizeObserver((entries) => {
      const rows = entries.map(({ target }) => target as HTMLElement);
      // Before the browser paints: rows that have grown would lie over the next ones for a moment.
      flushSync(() => setKnown((before) => withHeights(before, rows)));
    });
    const watching = observer.current;
    watching.observe(row);
    return () => watching.unobserve(row);
  }, []);

  const heights = keys.map((key) => known.get(key) ?? estimatePx);
  return { ...rowsIn(heights, span, overscan), measure };
}

/** The same map if nothing is different, so that nothing is rendered again. */
function withHeights(
  before: ReadonlyMap<string, number>,
  rows: readonly HTMLElement[],
): ReadonlyMap<string, number> {
  const changed = rows.flatMap((row): [string, number][] => {
    const [key, height] = [row.dataset["key"], row.getBoundingClientRect().height];
    return key === undefined || height === 0 || before.get(key) === height ? [] : [[key, height]];
  });
  return changed.length === 0 ? before : new Map([...before, ...changed]);
}
