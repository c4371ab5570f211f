/**
 * `npm run chaos`: kill -9, lost writes, broken networks, judged by an auditor that shares no code with the product.
 * Without arguments it is the selection that every change must pass. The last line is `N passed, N failed`.
 */
import { execFileSync } from "node:child_process";
import { EventEmitter } from "node:events";
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readLogs } from "./report/figures.ts";
import { matrixPage } from "./report/matrix.ts";
import { reliabilityPage } from "./report/reliability.ts";
import { RawLog, runScenario } from "./run.ts";
import type { RunOptions } from "./scenario.ts";
import { SCENARIOS } from "./scenarios/all.ts";

const EXIT_USAGE = 64;
/** As shells tell of Ctrl-C. */
const EXIT_ENDED = 130;
const CI_KILLS = 40;
const USAGE = `npm run chaos -- [--only SCENARIO[,…]] [--round TEXT] [--kills N] [--seed N] [--long] [--record]
npm run chaos -- --report
  --only    ${SCENARIOS.map(({ name }) => name).join(", ")}
  --round   only rounds whose name contains this text
  --kills   kills of the random run (default ${CI_KILLS}; more than ${CI_KILLS} implies --long)
  --long    the full counts of the reliability table
  --record  keeps the raw log under tests/chaos/logs/, from which the report is made
  --report  writes RELIABILITY.md and docs/reliability-matrix.md, and runs nothing`;

const root = join(import.meta.dirname, "../..");

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      ci: { type: "boolean" },
      only: { type: "string" },
      round: { type: "string" },
      kills: { type: "string" },
      seed: { type: "string" },
      long: { type: "boolean" },
      record: { type: "boolean" },
      report: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.report) return report();
  const names = values.only?.split(",") ?? SCENARIOS.map(({ name }) => name);
  const unknown = names.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  const kills = Number(values.kills ?? CI_KILLS);
  const seed = Number(values.seed ?? 1);
  if (values.help || unknown.length > 0 || !Number.isInteger(kills) || !Number.isInteger(seed)) {
    console.error(unknown.length > 0 ? `no scenario ${unknown.join(", ")}\n${USAGE}` : USAGE);
    return values.help ? 0 : EXIT_USAGE;
  }
  // Each world's processes end with this one.
  EventEmitter.defaultMaxListeners = 0;
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(EXIT_ENDED));
  return await run(names, values.round ?? "", values.record ?? false, {
    seed,
    kills,
    long: values.long === true || kills > CI_KILLS,
  });
}

function report(): number {
  const logs = readLogs(join(root, "tests/chaos/logs"));
  writeFileSync(join(root, "RELIABILITY.md"), reliabilityPage(logs));
  writeFileSync(join(root, "docs/reliability-matrix.md"), matrixPage(root));
  console.log(`RELIABILITY.md from ${logs.length} logs, docs/reliability-matrix.md from the tests' titles`);
  return 0;
}

async function run(
  names: readonly string[],
  roundText: string,
  record: boolean,
  options: RunOptions,
): Promise<number> {
  const startedAt = new Date().toISOString();
  const name = `${startedAt.slice(0, 19).replaceAll(/[-:]/g, "")}-${process.pid}-seed-${options.seed}.ndjson`;
  const file = record ? join(root, "tests/chaos/logs", name) : join(root, ".sluice/chaos", name);
  const log = new RawLog(file, {
    type: "run",
    git: git("rev-parse", "HEAD"),
    dirty: git("status", "--porcelain", "apps/worker/src", "packages") !== "",
    startedAt,
    node: process.version,
    cpus: availableParallelism(),
    ...options,
  });
  const total = { passed: 0, failed: 0 };
  for (const scenario of SCENARIOS.filter((one) => names.includes(one.name))) {
    const rounds = scenario.rounds(options).filter((round) => round.name.includes(roundText));
    const { passed, failed } = await runScenario(scenario, rounds, log);
    total.passed += passed;
    total.failed += failed;
  }
  console.log(`\nseed ${options.seed}, log ${file}\n${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
}

process.exitCode = await main();
