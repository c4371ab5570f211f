/**
 * `npm run chaos`: kill -9, lost writes, broken networks, judged by an auditor that shares no code with the product.
 * Without arguments it is the selection that every change must pass. The last line is `N passed, N failed`.
 */
import { EventEmitter } from "node:events";
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readCommit } from "./commit.ts";
import { RawLog } from "./raw-log.ts";
import { readLogs } from "./report/figures.ts";
import { matrixPage } from "./report/matrix.ts";
import { reliabilityPage } from "./report/reliability.ts";
import { readSimulated } from "./report/simulated.ts";
import { Rig, STORES, type StoreName } from "./rig/rig.ts";
import { runScenarios } from "./run.ts";
import type { RunOptions, Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios/all.ts";

const EXIT_USAGE = 64;
/** As shells tell of Ctrl-C. */
const EXIT_ENDED = 130;
const CI_KILLS = 40;
const USAGE = `npm run chaos -- [--only SCENARIO[,…]] [--round TEXT] [--store STORE] [--kills N] [--seed N] [--long] [--record]
npm run chaos -- --report
  --only    ${SCENARIOS.map(({ name }) => name).join(", ")}
  --round   only rounds whose name contains this text
  --store   ${Object.keys(STORES).join(" or ")} (default local-s3); a real store is spared what only a fake can be told to do
  --kills   kills of the random run (default ${CI_KILLS}; more than ${CI_KILLS} implies --long)
  --long    the full counts of the reliability table
  --record  keeps the raw log under tests/chaos/logs/, from which the report is made
  --report  writes RELIABILITY.md and docs/internals/reliability-matrix.md, and runs nothing`;

const root = join(import.meta.dirname, "../..");

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      round: { type: "string" },
      store: { type: "string", default: "local-s3" },
      kills: { type: "string", default: String(CI_KILLS) },
      seed: { type: "string", default: "1" },
      long: { type: "boolean", default: false },
      record: { type: "boolean", default: false },
      report: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.report) return report();
  if (values.help) return usage();
  const { store } = values;
  if (!isStore(store)) return usage(`no store ${store}`);
  const [kills, seed] = [Number(values.kills), Number(values.seed)];
  if (!Number.isInteger(kills) || !Number.isInteger(seed))
    return usage("--kills and --seed are whole numbers");
  const possible = SCENARIOS.filter(({ localOnly }) => !localOnly || store === "local-s3");
  const names = values.only?.split(",") ?? possible.map(({ name }) => name);
  const unknown = names.filter((name) => !possible.some((scenario) => scenario.name === name));
  if (unknown.length > 0) return usage(`no scenario ${unknown.join(", ")} on ${store}`);
  // Each world's processes end with this one.
  EventEmitter.defaultMaxListeners = 0;
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(EXIT_ENDED));
  const scenarios = possible.filter(({ name }) => names.includes(name));
  const options = { seed, store, kills, long: values.long || kills > CI_KILLS };
  return await run(scenarios, values.round ?? "", values.record, options);
}

function usage(wrong?: string): number {
  console.error(wrong === undefined ? USAGE : `${wrong}\n${USAGE}`);
  return wrong === undefined ? 0 : EXIT_USAGE;
}

function isStore(name: string): name is StoreName {
  return Object.hasOwn(STORES, name);
}

function report(): number {
  const logs = readLogs(join(root, "tests/chaos/logs"));
  const simulated = readSimulated(join(root, "tests/simulation/runs.ndjson"));
  writeFileSync(join(root, "RELIABILITY.md"), reliabilityPage(logs, simulated));
  writeFileSync(join(root, "docs/internals/reliability-matrix.md"), matrixPage(root));
  console.log(
    `RELIABILITY.md from ${logs.length} logs, docs/internals/reliability-matrix.md from the tests' titles`,
  );
  return 0;
}

async function run(
  scenarios: readonly Scenario[],
  named: string,
  record: boolean,
  options: RunOptions,
): Promise<number> {
  const startedAt = new Date().toISOString();
  const name = `${startedAt.slice(0, 19).replaceAll(/[-:]/g, "")}-${options.store}-seed-${options.seed}.ndjson`;
  const file = join(record ? "tests/chaos/logs" : ".sluice/chaos", name);
  const log = new RawLog(join(root, file), {
    type: "run",
    ...readCommit(root),
    startedAt,
    node: process.version,
    cpus: availableParallelism(),
    ...options,
  });
  await using rig = await Rig.start(options.store);
  const total = await runScenarios(rig, scenarios, options, named, log);
  console.log(`\nseed ${options.seed}, log ${file}\n${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

// A connection whose end never came has kept Node busy for an hour when it was left to end by itself.
process.exit(await main());
