/**
 * The positions of the cells of a part map, from one cell to 10,000, in any width; and the SVG path that draws them.
 */
import type { CellRun } from "./part-map.ts";

export interface CellLayout {
  columns: number;
  rows: number;
  /** Edge of a cell and distance between two cells, in CSS pixels. */
  cell: number;
  gap: number;
  width: number;
  height: number;
}

/** From large to small. */
const SIZES = [
  { cell: 28, gap: 5 },
  { cell: 20, gap: 4 },
  { cell: 14, gap: 3 },
  { cell: 9, gap: 2 },
  { cell: 7, gap: 1 },
  { cell: 5, gap: 1 },
  { cell: 4, gap: 1 },
  { cell: 3, gap: 1 },
] as const;
const SMALLEST = SIZES[7];

/** Cells shrink as their number grows, so that the whole map stays visible. */
const MOST_HEIGHT_PX = 330;
/** Cells from this size on have rounded corners. */
const ROUNDED_FROM_PX = 9;

export function layoutCells(count: number, width: number): CellLayout {
  const fits = SIZES.find((size) => laidOut(count, width, size).height <= MOST_HEIGHT_PX);
  return laidOut(count, width, fits ?? SMALLEST);
}

function laidOut(count: number, width: number, { cell, gap }: Pick<CellLayout, "cell" | "gap">): CellLayout {
  const pitch = cell + gap;
  const columns = Math.max(1, Math.min(count, Math.floor((width + gap) / pitch)));
  const rows = Math.max(1, Math.ceil(count / columns));
  return { columns, rows, cell, gap, width: columns * pitch - gap, height: rows * pitch - gap };
}

/** Upper left corner of part N. */
export function cellAt(layout: CellLayout, n: number): { x: number; y: number } {
  const pitch = layout.cell + layout.gap;
  return { x: ((n - 1) % layout.columns) * pitch, y: Math.floor((n - 1) / layout.columns) * pitch };
}

/** The part under a point of the map, or undefined beyond the last one. */
export function partAt(layout: CellLayout, count: number, x: number, y: number): number | undefined {
  const pitch = layout.cell + layout.gap;
  const column = Math.floor(x / pitch);
  if (column < 0 || column >= layout.columns || y < 0) return undefined;
  const n = Math.floor(y / pitch) * layout.columns + column + 1;
  return n >= 1 && n <= count ? n : undefined;
}

/** One path for all cells of the given runs. */
export function cellsPath(layout: CellLayout, runs: readonly CellRun[]): string {
  const radius = layout.cell >= ROUNDED_FROM_PX ? Math.round(layout.cell / 7) : 0;
  const draw = radius === 0 ? square : rounded;
  let path = "";
  for (const run of runs) {
    for (let n = run.from; n <= run.to; n += 1) {
      const { x, y } = cellAt(layout, n);
      path += draw(x, y, layout.cell, radius);
    }
  }
  return path;
}

function square(x: number, y: number, size: number): string {
  return `M${x} ${y}h${size}v${size}h-${size}z`;
}

function rounded(x: number, y: number, size: number, r: number): string {
  const side = size - 2 * r;
  return (
    `M${x + r} ${y}h${side}a${r} ${r} 0 0 1 ${r} ${r}v${side}a${r} ${r} 0 0 1 -${r} ${r}` +
    `h-${side}a${r} ${r} 0 0 1 -${r} -${r}v-${side}a${r} ${r} 0 0 1 ${r} -${r}z`
  );
}
