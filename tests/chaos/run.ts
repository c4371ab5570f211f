/** Runs rounds, several at once, tells of each as it ends, and sums each scenario up when its last round has ended. */
import { availableParallelism } from "node:os";
import type { RawLog, RoundLine } from "./raw-log.ts";
import type { Rig } from "./rig/rig.ts";
import type { Round, RunOptions, Scenario, Verdict } from "./scenario.ts";

/** Worlds at once. One that works has several processes, most of which wait for another at any moment. */
const AT_ONCE = { works: 2 * availableParallelism(), waits: 10 } as const;

export interface Count {
  passed: number;
  failed: number;
}

/** `named`: only rounds whose name contains it. */
export async function runScenarios(
  rig: Rig,
  scenarios: readonly Scenario[],
  options: RunOptions,
  named: string,
  log: RawLog,
): Promise<Count> {
  const runs = scenarios.map((scenario) => {
    const rounds = scenario.rounds(options).filter(({ name }) => name.includes(named));
    console.log(`${scenario.name}: ${scenario.claim} (${rounds.length} rounds)`);
    return new ScenarioRun(scenario, rounds);
  });
  const drain = async (queue: { run: ScenarioRun; round: Round }[]): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const line = await runRound(rig, next.run.scenario, next.round);
      log.write(line);
      next.run.tell(line);
    }
  };
  await Promise.all(
    (["waits", "works"] as const).flatMap((pace) => {
      const queue = runs
        .filter(({ scenario }) => scenario.pace === pace)
        .flatMap((run) => run.rounds.map((round) => ({ run, round })));
      return Array.from({ length: AT_ONCE[pace] }, () => drain(queue));
    }),
  );
  return {
    passed: runs.reduce((sum, { passed }) => sum + passed, 0),
    failed: runs.reduce((sum, { failed }) => sum + failed, 0),
  };
}

/** One scenario's rounds, counted while they end in any order between those of others. */
class ScenarioRun {
  readonly scenario: Scenario;
  readonly rounds: readonly Round[];
  passed = 0;
  failed = 0;
  #ms = 0;
  readonly #startedAt = performance.now();

  constructor(scenario: Scenario, rounds: readonly Round[]) {
    this.scenario = scenario;
    this.rounds = rounds;
  }

  tell({ ok, round, ms, problems }: RoundLine): void {
    const { name } = this.scenario;
    this[ok ? "passed" : "failed"] += 1;
    this.#ms += ms;
    console.log(`${ok ? "  ok  " : "FAILED"} ${name}, ${round} (${seconds(ms)})`);
    for (const problem of problems) console.log(`       ${problem.replaceAll("\n", "\n       ")}`);
    if (this.passed + this.failed < this.rounds.length) return;
    const after = seconds(performance.now() - this.#startedAt);
    console.log(
      `${name}: ${this.passed} of ${this.rounds.length} passed in ${seconds(this.#ms)} of rounds, ${after} after the start`,
    );
  }
}

async function runRound(rig: Rig, scenario: Scenario, round: Round): Promise<RoundLine> {
  const startedAt = performance.now();
  const verdict = await round.run(rig).catch((error: unknown): Verdict => ({
    problems: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
    figures: {},
  }));
  return {
    type: "round",
    scenario: scenario.name,
    round: round.name,
    ok: verdict.problems.length === 0,
    ms: Math.round(performance.now() - startedAt),
    problems: verdict.problems,
    figures: verdict.figures,
  };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
