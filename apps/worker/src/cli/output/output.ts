/**
 * Where a command writes: its answer on standard output (one JSON document, or text for people), everything else on
 * standard error. Text passes through `visibleLine` on its way, so no record can speak to the terminal.
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

  /** The answer is read by a person now: tables fit the screen. */
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

  /** One record of many, a line each (NDJSON). Resolves when the reader has kept up. */
  async record(value: unknown): Promise<void> {
    if (this.#stdout.write(`${jsonText(value)}\n`)) return;
    await new Promise<void>((resolve) => this.#stdout.once("drain", resolve));
  }

  line(...pieces: Piece[]): void {
    this.#stdout.write(`${paint(pieces, this.#stdout)}\n`);
  }

  /** Nothing at all is printed for no rows. */
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
    if (rows.length === 0) return;
    for (const line of formatTable(columns, rows, widthOf(this.#stdout))) this.line(...line);
  }

  /** Names and values, one pair a line; pairs without a value are left out. */
  pairs(pairs: readonly (readonly [name: string, value: Piece | undefined])[]): void {
    const shown = pairs.filter((pair): pair is readonly [string, Piece] => pair[1] !== undefined);
    const width = Math.max(0, ...shown.map(([name]) => name.length));
    for (const [name, value] of shown) this.line({ text: name.padEnd(width), style: "dim" }, "  ", value);
  }

  /** For the person, beside the answer; may have several lines. */
  note(text: string): void {
    this.#clearProgress();
    this.#stderr.write(`${visibleLines(text)}\n`);
  }

  /** Why there is no answer: for people in words, with `--json` as one line of JSON, beside the answer all the same. */
  failure(exitCode: number, message: string): void {
    if (!this.json) return this.note(message);
    this.#clearProgress();
    this.#stderr.write(`${jsonText({ error: message, exit_code: exitCode })}\n`);
  }

  /** As `line`, beside the answer. */
  noteLine(...pieces: Piece[]): void {
    this.#clearProgress();
    this.#stderr.write(`${paint(pieces, this.#stderr)}\n`);
  }

  noteTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
    if (rows.length === 0) return;
    for (const line of formatTable(columns, rows, widthOf(this.#stderr))) this.noteLine(...line);
  }

  /** How far a long command is: on a terminal in place, else now and then as a line of its own. */
  progress(text: string): void {
    if (this.#stderr.isTTY) {
      this.#stderr.write(`\r\u001b[K${visibleLine(text)}`);
      this.#progressShown = true;
    } else if (this.nowMs - this.#progressAtMs >= PROGRESS_EVERY_MS) {
      this.#stderr.write(`${visibleLine(text)}\n`);
    } else return;
    this.#progressAtMs = this.nowMs;
  }

  /** The last word on progress leaves the screen as if it had not been there. */
  progressDone(): void {
    this.#clearProgress();
  }

  #clearProgress(): void {
    if (this.#progressShown) this.#stderr.write("\r\u001b[K");
    this.#progressShown = false;
  }
}

/** Of a terminal; what is written elsewhere is not cut. */
function widthOf(stream: NodeJS.WriteStream): number | undefined {
  return stream.isTTY && stream.columns > 0 ? stream.columns : undefined;
}

/** Colour only where the stream is a terminal and neither NO_COLOR nor the terminal forbids it. */
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
