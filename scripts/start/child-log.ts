/** All output of a child is written to its log file; the terminal gets only what the user should read. */
import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { quietLine } from "./quiet-line.ts";

/** A larger log is renamed; one older file is kept. */
const LOG_MAX_BYTES = 16 * 1024 * 1024;
const TAIL_LINES = 12;

export class ChildLog {
  readonly file: string;
  readonly #name: string;
  readonly #print: (line: string) => void;
  #fd: number;
  #bytes: number;
  #tail: string[] = [];

  constructor(logDir: string, name: string, print: (line: string) => void) {
    mkdirSync(logDir, { recursive: true });
    this.file = join(logDir, `${name}.log`);
    this.#name = name;
    this.#print = print;
    this.#fd = openSync(this.file, "a", 0o600);
    this.#bytes = statSync(this.file).size;
    this.#write(`--- start of ${new Date().toISOString()} by pid ${process.pid}`);
  }

  follow(...outputs: Readable[]): void {
    for (const output of outputs) {
      createInterface({ input: output, crlfDelay: Infinity }).on("line", (line) => this.#take(line));
    }
  }

  /** A message of the supervisor about this child. */
  say(line: string): void {
    this.#write(`--- ${line}`);
    this.#print(line);
  }

  /** The last lines, for an error message. */
  tail(): string {
    return this.#tail.map((line) => `  ${line}`).join("\n");
  }

  close(): void {
    closeSync(this.#fd);
  }

  #take(line: string): void {
    this.#write(line);
    this.#tail = [...this.#tail.slice(1 - TAIL_LINES), line];
    const quiet = quietLine(this.#name, line);
    if (quiet !== undefined) this.#print(quiet);
  }

  /** A full disk must not crash the supervisor: the line is then only on the terminal. */
  #write(line: string): void {
    try {
      if (this.#bytes > LOG_MAX_BYTES) this.#rotate();
      this.#bytes += writeSync(this.#fd, `${line}\n`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }

  #rotate(): void {
    closeSync(this.#fd);
    renameSync(this.file, `${this.file}.1`);
    this.#fd = openSync(this.file, "a", 0o600);
    this.#bytes = 0;
  }
}
