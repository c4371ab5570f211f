/**
 * An aligned table: titles, then rows. The column whose width nobody knows (a path) comes last and is never cut, so that
 * it can be copied; everything before it is plain and narrow.
 */
import { formatRelative, parseTime } from "@sluice/control/units";
import { visibleLine } from "@sluice/control/visible-text";

export type Style = "bold" | "dim" | "red" | "yellow" | "green" | "cyan";
export type Piece = string | { text: string; style: Style };

export interface Column<Row> {
  title: string;
  align?: "right";
  cell(row: Row): Piece;
}

const GAP = "  ";

/** Each line as its pieces, titles first. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Piece[][] {
  const cells = rows.map((row) => columns.map((column) => column.cell(row)));
  const widths = columns.map((column, at) =>
    Math.max(column.title.length, ...cells.map((line) => widthOf(line[at] ?? ""))),
  );
  const lineOf = (pieces: readonly Piece[]): Piece[] =>
    pieces.flatMap((piece, at) => {
      const isLast = at === columns.length - 1;
      const room = " ".repeat(Math.max(0, (widths[at] ?? 0) - widthOf(piece)));
      if (columns[at]?.align === "right") return isLast ? [room, piece] : [room, piece, GAP];
      return isLast ? [piece] : [piece, room, GAP];
    });
  const titles = columns.map(({ title }): Piece => ({ text: title.toUpperCase(), style: "dim" }));
  return [lineOf(titles), ...cells.map(lineOf)];
}

const characters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function widthOf(piece: Piece): number {
  const text = visibleLine(typeof piece === "string" ? piece : piece.text);
  return [...characters.segment(text)].length;
}

/** "4 s ago", "in 2 min"; a dash where there is no time. */
export function relative(at: string | number | undefined, nowMs: number): string {
  const ms = typeof at === "number" ? at : parseTime(at);
  return ms === undefined ? "-" : formatRelative(ms, nowMs);
}
