/** The committed raw logs, read back and added up; nothing in a report comes from anywhere else. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RoundLine, RunLine } from "../raw-log.ts";

export interface Log {
  file: string;
  run: RunLine;
  rounds: readonly RoundLine[];
}

export interface ScenarioSum {
  passed: number;
  failed: readonly RoundLine[];
  ms: number;
  figures: Readonly<Record<string, number>>;
}

/** Oldest first. */
export function readLogs(directory: string): Log[] {
  return globSync("*.ndjson", { cwd: directory })
    .map((file) => {
      const [head, ...rest] = readFileSync(join(directory, file), "utf8")
        .split("\n")
        .filter((line) => line !== "");
      if (head === undefined) throw new Error(`${file} is empty`);
      return {
        file,
        run: runLine(head),
        rounds: rest.map((line) => JSON.parse(line) as RoundLine),
      };
    })
    .toSorted((a, b) => a.run.startedAt.localeCompare(b.run.startedAt));
}

/** Runs made before the store could be chosen and the product was named are told by their commit. */
function runLine(text: string): RunLine {
  const run = JSON.parse(text) as Partial<RunLine> & RunLine;
  const product = run.product ?? run.git.slice(0, 12);
  return { ...run, store: run.store ?? "local-s3", product: run.dirty ? `${product}+` : product };
}

/** Of the rounds that passed; a failed one counts for nothing. */
export function sumOf(rounds: readonly RoundLine[]): ScenarioSum {
  const figures: Record<string, number> = {};
  for (const round of rounds.filter(({ ok }) => ok)) {
    for (const [name, value] of Object.entries(round.figures)) figures[name] = (figures[name] ?? 0) + value;
  }
  return {
    passed: rounds.filter(({ ok }) => ok).length,
    failed: rounds.filter(({ ok }) => !ok),
    ms: rounds.reduce((sum, { ms }) => sum + ms, 0),
    figures,
  };
}
