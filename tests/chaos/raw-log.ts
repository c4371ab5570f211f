/** The raw log of a run: one line tells how it was made, one line tells of each round. No path of this machine is in it. */
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import type { RunOptions } from "./scenario.ts";

export interface RunLine extends RunOptions {
  type: "run";
  git: string;
  /** The work tree held changes that no commit has. */
  dirty: boolean;
  /** Names the code under test: equal in runs of commits that differ only elsewhere. */
  product: string;
  startedAt: string;
  node: string;
  cpus: number;
}

export interface RoundLine {
  type: "round";
  scenario: string;
  round: string;
  ok: boolean;
  ms: number;
  problems: readonly string[];
  figures: Readonly<Record<string, number>>;
}

/** A problem is told by its first lines; a log is read by people too. */
const PROBLEM_CHARACTERS = 2_000;

const ROOT = join(import.meta.dirname, "../..");
const OF_A_ROUND = new RegExp(String.raw`${RegExp.escape(join(tmpdir(), "sluice-"))}([a-z0-9-]+)-\w{6}`, "g");

/** Paths in it are told from the checkout or from the round's own directory. */
export function withoutMachinePaths(text: string): string {
  return text
    .replaceAll(`${pathToFileURL(ROOT).href}/`, "")
    .replaceAll(ROOT + sep, "")
    .replaceAll(ROOT, ".")
    .replaceAll(OF_A_ROUND, "<$1>");
}

export class RawLog {
  readonly #file: string;

  constructor(file: string, head: RunLine) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(head)}\n`);
  }

  write(line: RoundLine): void {
    const problems = line.problems.map((problem) =>
      withoutMachinePaths(problem).slice(0, PROBLEM_CHARACTERS),
    );
    appendFileSync(this.#file, `${JSON.stringify({ ...line, problems })}\n`);
  }
}
