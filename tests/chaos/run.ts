/** Runs scenarios round by round, tells of each as it ends, and writes one line a round into the raw log. */
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Round, RunOptions, Scenario, Verdict } from "./scenario.ts";

export interface RoundLine {
  type: "round";
  scenario: string;
  round: string;
  ok: boolean;
  ms: number;
  problems: readonly string[];
  figures: Readonly<Record<string, number>>;
}

export interface RunLine extends RunOptions {
  type: "run";
  git: string;
  /** The work tree held changes that no commit has. */
  dirty: boolean;
  startedAt: string;
  node: string;
  cpus: number;
}

/** A problem is told by its first lines; a log is read by people too. */
const PROBLEM_CHARACTERS = 2_000;

export class RawLog {
  readonly #file: string;

  constructor(file: string, head: RunLine) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(head)}\n`);
  }

  write(line: RoundLine): void {
    appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

export async function runScenario(
  scenario: Scenario,
  rounds: readonly Round[],
  log: RawLog,
): Promise<{ passed: number; failed: number }> {
  console.log(`\n${scenario.name}: ${scenario.claim} (${rounds.length} rounds)`);
  const startedAt = performance.now();
  const waiting = [...rounds];
  const count = { passed: 0, failed: 0 };
  const drain = async (): Promise<void> => {
    for (let round = waiting.shift(); round; round = waiting.shift()) {
      const line = await runRound(scenario, round);
      log.write(line);
      tell(line);
      count[line.ok ? "passed" : "failed"] += 1;
    }
  };
  await Promise.all(Array.from({ length: scenario.atOnce }, drain));
  console.log(
    `${scenario.name}: ${count.passed} of ${rounds.length} passed in ${seconds(performance.now() - startedAt)}`,
  );
  return count;
}

async function runRound(scenario: Scenario, round: Round): Promise<RoundLine> {
  const startedAt = performance.now();
  const verdict = await round.run().catch((error: unknown): Verdict => ({
    problems: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
    figures: {},
  }));
  return {
    type: "round",
    scenario: scenario.name,
    round: round.name,
    ok: verdict.problems.length === 0,
    ms: Math.round(performance.now() - startedAt),
    problems: verdict.problems.map((problem) => problem.slice(0, PROBLEM_CHARACTERS)),
    figures: verdict.figures,
  };
}

function tell({ ok, round, ms, problems }: RoundLine): void {
  console.log(`  ${ok ? "ok  " : "FAIL"} ${round} (${seconds(ms)})`);
  for (const problem of problems) console.log(`       ${problem.replaceAll("\n", "\n       ")}`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
