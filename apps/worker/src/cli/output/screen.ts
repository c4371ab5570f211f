/**
 * A picture that is drawn again and again in place, on the terminal's other screen: what was there before comes back when it
 * is closed, with the cursor and the terminal's own way of reading keys, however the command ends.
 */
import { paint } from "./output.ts";
import type { Piece } from "./table.ts";

const OTHER_SCREEN = "\u001b[?1049h\u001b[?25l";
const BACK = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const REST_OF_LINE = "\u001b[K";
const REST_OF_SCREEN = "\u001b[J";
/** Where a terminal does not say how large it is. */
const ROWS = 24;
const COLUMNS = 80;

interface Terminal {
  stdout: NodeJS.WriteStream;
  stdin: NodeJS.ReadStream;
}

export class Screen implements Disposable {
  readonly #terminal: Terminal;
  readonly #onKey: (chunk: Buffer) => void;
  readonly #back = (): void => void this.#terminal.stdout.write(BACK);

  /** `quit`: q, Escape or Ctrl-C was pressed. */
  constructor(terminal: Terminal, quit: () => void) {
    this.#terminal = terminal;
    this.#onKey = (chunk) => {
      if (["q", "Q", "\u0003", "\u001b"].includes(chunk.toString())) quit();
    };
    const { stdin, stdout } = terminal;
    stdout.write(OTHER_SCREEN);
    // Also where the process ends without closing it.
    process.once("exit", this.#back);
    if (!stdin.isTTY) return;
    stdin.setRawMode(true);
    stdin.on("data", this.#onKey);
    stdin.resume();
  }

  get rows(): number {
    return this.#terminal.stdout.rows || ROWS;
  }

  get columns(): number {
    return this.#terminal.stdout.columns || COLUMNS;
  }

  /** Lines past the screen's end are left out. */
  draw(lines: readonly (readonly Piece[])[]): void {
    const { stdout } = this.#terminal;
    const shown = lines.slice(0, this.rows).map((line) => paint(line, stdout) + REST_OF_LINE);
    stdout.write(HOME + shown.join("\r\n") + REST_OF_SCREEN);
  }

  [Symbol.dispose](): void {
    const { stdin } = this.#terminal;
    process.off("exit", this.#back);
    this.#back();
    if (!stdin.isTTY) return;
    stdin.off("data", this.#onKey);
    stdin.setRawMode(false);
    stdin.pause();
  }
}
