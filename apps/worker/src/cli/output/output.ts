/**
 * The output of a command: its answer on standard output (one JSON document, or text for people), everything else on
 * standard error. All text passes through `visibleLine`, so no record can send control characters to the terminal.
 */
import { styleText } from "node:util";
import { formatTable, type Column, type Piece } from "./table.ts";
import { jsonText, visibleLine, visibleLines } from "@sluice/control/visible-text";

export interface OutputOptions {
  json: boolean;
  stdout?: NodeJS.WriteStream;
  stderr?: NodeJS.WriteStream;
  now?: () => number;
}

const PROGRESS_EVERY_MS = 5_000;

export class Output {
  readonly json: boolean;
  readonly #stdout: NodeJS.WriteStream;
  readonly #stderr: NodeJS.WriteStream;
  readonly #now: () => number;
  #progressAtMs: number;
  #progressShown = false;

  constructor({ json, stdout = process.stdout, stderr = process.stderr, now = Date.now }: OutputOptions) {
    this.json = json;
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#now = now;
    this.#progressAtMs = now();
  }

  /** True when the answer goes to a terminal: tables are then cut to its width. */
  get onTerminal(): boolean {
    return this.#stdout.isTTY;
  }

  get nowMs(): number {
    return this.#now();
  }

  /** The command's one JSON document. */
  document(value: unknown): void {
    this.#stdout.write(`${jsonText(value, 2)}\n`);
  }

  /** One record of many, a line each (NDJSON). Resolves when the reader can take more. */
  async record(value: unknown): Promise<void> {
    if (this.#stdout.write(`${jsonText(value)}\n`)) return;
    await new Promise<void>((resolve) => this.#stdout.once("drain", resolve));
  }

  line(...pieces: Piece[]): void {
    this.#stdout.write(`${paint(pieces, this.#stdout)}\n`);
  }

  /** Prints nothing, not even titles, if there are no rows. */
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
    if (rows.length === 0) return;
    for (const line of formatTable(columns, rows, widthOf(this.#stdout))) this.line(...line);
  }

  /** Names and values, one pair per line; pairs without a value are left out. */
  pairs(pairs: readonly (readonly [name: string, value: Piece | undefined])[]): void {
    const shown = pairs.filter((pair): pair is readonly [string, Piece] => pair[1] !== undefined);
    const width = Math.max(0, ...shown.map(([name]) => name.length));
    for (const [name, value] of shown) this.line({ text: name.padEnd(width), style: "dim" }, "  ", value);
  }

  /** A note for the user on standard error; may have several lines. */
  note(text: string): void {
    this.#clearProgress();
    this.#stderr.write(`${visibleLines(text)}\n`);
  }

  /** Why there is no answer, on standard error: text for people, one line of JSON with `--json`. */
  failure(exitCode: number, message: string): void {
    if (!this.json) return this.note(message);
    this.#clearProgress();
    this.#stderr.write(`${jsonText({ error: message, exit_code: exitCode })}\n`);
  }

  /** As `line`, on standard error. */
  noteLine(...pieces: Piece[]): void {
    this.#clearProgress();
    this.#stderr.write(`${paint(pieces, this.#stderr)}\n`);
  }

  noteTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
    if (rows.length === 0) return;
    for (const line of formatTable(columns, rows, widthOf(this.#stderr))) this.noteLine(...line);
  }

  /** Progress of a long command: on a terminal one line that is updated, elsewhere a line now and then. */
  progress(text: string): void {
    if (this.#stderr.isTTY) {
      this.#stderr.write(`\r\u001b[K${visibleLine(text)}`);
      this.#progressShown = true;
    } else if (this.nowMs - this.#progressAtMs >= PROGRESS_EVERY_MS) {
      this.#stderr.write(`${visibleLine(text)}\n`);
    } else return;
    this.#progressAtMs = this.nowMs;
  }

  /** Removes the progress line from the terminal. */
  progressDone(): void {
    this.#clearProgress();
  }

  #clearProgress(): void {
    if (this.#progressShown) this.#stderr.write("\r\u001b[K");
    this.#progressShown = false;
  }
}

/** Width of a terminal; undefined elsewhere, where nothing is cut. */
function widthOf(stream: NodeJS.WriteStream): number | undefined {
  return stream.isTTY && stream.columns > 0 ? stream.columns : undefined;
}

/** Colour only on a terminal, and only if neither NO_COLOR nor the terminal forbids it. */
export function paint(pieces: readonly Piece[], stream: NodeJS.WriteStream): string {
  return pieces
    .map((piece) => {
      if (typeof piece === "string") return visibleLine(piece);
      const text = visibleLine(piece.text);
      return text === "" ? text : styleText(piece.style, text, { stream });
    })
    .join("")
    .trimEnd();
}
