/**
 * An aligned table: titles, then rows. The column whose width nobody knows (a path) comes last. Written to a file or a pipe,
 * nothing is cut; on a terminal each row is one line: columns that can be missed go first, then names lose their middle.
 */
import { formatRelative, parseTime } from "@sluice/control/units";
import { visibleLine } from "@sluice/control/visible-text";

export type Style = "bold" | "dim" | "red" | "yellow" | "green" | "cyan";
export type Piece = string | { text: string; style: Style };

export interface Column<Row> {
  title: string;
  align?: "right";
  /** Where the terminal is too narrow: it is left out, or cut at its end down to so many characters. */
  narrow?: "left out" | { least: number };
  cell(row: Row): Piece;
}

const GAP = "  ";
/** A name keeps at least so much, beginning and end. */
const NAME_LEAST = 24;

/** Each line as its pieces, titles first. `width`: of the terminal; absent, nothing is cut. */
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
    shown.flatMap(({ at, room }): Piece[] => {
      const isLast = at === columns.length - 1;
      const piece = shortened(line[at] ?? "", room, isLast ? "middle" : "end");
      const blank = " ".repeat(Math.max(0, room - widthOf(piece)));
      if (columns[at]?.align === "right") return isLast ? [blank, piece] : [blank, piece, GAP];
      return isLast ? [piece] : [piece, blank, GAP];
    }),
  );
}

/** Which columns there is room for, and how much each gets. */
function fit(
  columns: readonly Column<never>[],
  widths: readonly number[],
  width: number,
): { at: number; room: number }[] {
  const last = columns.length - 1;
  const shown = widths.map((room, at) => ({ at, room, narrow: columns[at]?.narrow }));
  const excess = (): number => {
    const all = shown.reduce(
      (sum, { at, room }) => sum + (at === last ? Math.min(room, NAME_LEAST) : room),
      0,
    );
    return all + GAP.length * (shown.length - 1) - width;
  };
  for (let at = last - 1; at >= 0 && excess() > 0; at -= 1)
    if (shown[at]?.narrow === "left out") shown.splice(at, 1);
  for (const column of shown) {
    if (typeof column.narrow === "object" && excess() > 0)
      column.room = Math.max(Math.min(column.room, column.narrow.least), column.room - excess());
  }
  const name = shown.at(-1);
  const others = shown.slice(0, -1).reduce((sum, { room }) => sum + room + GAP.length, 0);
  if (name) name.room = Math.min(name.room, Math.max(1, width - others));
  return shown;
}

/** As a piece of at most `room` characters; an ellipsis stands for what is left out. */
function shortened(piece: Piece, room: number, where: "middle" | "end"): Piece {
  if (widthOf(piece) <= room) return piece;
  const text = [...characters.segment(visibleLine(textOf(piece)))].map(({ segment }) => segment);
  const tail = where === "middle" ? Math.floor((room - 1) / 2) : 0;
  const short = [...text.slice(0, room - 1 - tail), "…", ...text.slice(text.length - tail)].join("");
  return typeof piece === "string" ? short : { ...piece, text: short };
}

const textOf = (piece: Piece): string => (typeof piece === "string" ? piece : piece.text);

const characters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function widthOf(piece: Piece): number {
  const text = visibleLine(textOf(piece));
  return [...characters.segment(text)].length;
}

/** "4 s ago", "in 2 min"; a dash where there is no time. */
export function relative(at: string | number | undefined, nowMs: number): string {
  const ms = typeof at === "number" ? at : parseTime(at);
  return ms === undefined ? "-" : formatRelative(ms, nowMs);
}
