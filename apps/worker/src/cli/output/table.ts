/**
 * An aligned table: titles, then rows. The column of unknown width (a path) comes last. In a file or a pipe nothing is
 * cut; on a terminal each row is one line: optional columns are dropped first, then names are shortened in the middle.
 */
import { formatRelative, parseTime } from "@sluice/control/units";
import { visibleLine } from "@sluice/control/visible-text";

export type Style = "bold" | "dim" | "red" | "yellow" | "green" | "cyan";
export type Piece = string | { text: string; style: Style };

export interface Column<Row> {
  title: string;
  align?: "right";
  /** What happens when the terminal is too narrow: the column is left out, or cut at its end to at least this width. */
  narrow?: "left out" | { least: number };
  cell(row: Row): Piece;
}

const GAP = "  ";
/** The minimum width of a shortened name. */
const NAME_LEAST = 24;

/** Each line as its pieces, titles first. `width`: of the terminal; if absent, nothing is cut. */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width = Infinity,
): Piece[][] {
  const titles = columns.map(({ title }): Piece => ({ text: title.toUpperCase(), style: "dim" }));
  const lines = [titles, ...rows.map((row) => columns.map((column) => column.cell(row)))];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => widthOf(line[at] ?? ""))));
  const shown = fit(columns, widths, width);
  return lines.map((line) =>
    shown.flatMap(({ at, columnWidth }): Piece[] => {
      const isLast = at === columns.length - 1;
      const piece = shortened(line[at] ?? "", columnWidth, isLast ? "middle" : "end");
      const blank = " ".repeat(Math.max(0, columnWidth - widthOf(piece)));
      if (columns[at]?.align === "right") return isLast ? [blank, piece] : [blank, piece, GAP];
      return isLast ? [piece] : [piece, blank, GAP];
    }),
  );
}

/** Which columns fit, and the width of each. */
function fit(
  columns: readonly Column<never>[],
  widths: readonly number[],
  width: number,
): { at: number; columnWidth: number }[] {
  const last = columns.length - 1;
  const shown = widths.map((columnWidth, at) => ({ at, columnWidth, narrow: columns[at]?.narrow }));
  const excess = (): number => {
    const all = shown.reduce(
      (sum, { at, columnWidth }) => sum + (at === last ? Math.min(columnWidth, NAME_LEAST) : columnWidth),
      0,
    );
    return all + GAP.length * (shown.length - 1) - width;
  };
  for (let at = last - 1; at >= 0 && excess() > 0; at -= 1)
    if (shown[at]?.narrow === "left out") shown.splice(at, 1);
  for (const column of shown) {
    if (typeof column.narrow === "object" && excess() > 0)
      column.columnWidth = Math.max(
        Math.min(column.columnWidth, column.narrow.least),
        column.columnWidth - excess(),
      );
  }
  const name = shown.at(-1);
  const others = shown.slice(0, -1).reduce((sum, { columnWidth }) => sum + columnWidth + GAP.length, 0);
  if (name) name.columnWidth = Math.min(name.columnWidth, Math.max(1, width - others));
  return shown;
}

/** As a piece of at most `width` characters; an ellipsis replaces what is left out. */
function shortened(piece: Piece, columnWidth: number, where: "middle" | "end"): Piece {
  if (widthOf(piece) <= columnWidth) return piece;
  const text = [...characters.segment(visibleLine(textOf(piece)))].map(({ segment }) => segment);
  const tail = where === "middle" ? Math.floor((columnWidth - 1) / 2) : 0;
  const short = [...text.slice(0, columnWidth - 1 - tail), "…", ...text.slice(text.length - tail)].join("");
  return typeof piece === "string" ? short : { ...piece, text: short };
}

const textOf = (piece: Piece): string => (typeof piece === "string" ? piece : piece.text);

const characters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function widthOf(piece: Piece): number {
  const text = visibleLine(textOf(piece));
  return [...characters.segment(text)].length;
}

/** "4 s ago", "in 2 min"; a dash if there is no time. */
export function relative(at: string | number | undefined, nowMs: number): string {
  const ms = typeof at === "number" ? at : parseTime(at);
  return ms === undefined ? "-" : formatRelative(ms, nowMs);
}
