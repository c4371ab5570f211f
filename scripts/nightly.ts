/**
 * `npm run nightly [-- --only STEP[,…]] [--seed N]`: what is too long for every change. Writes tests/nightly.txt, to be
 * committed: when, on which commit and machine, each step's time and result, and which steps were not run. The last line
 * is `N passed, N failed`.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runStep } from "./nightly/run-step.ts";
import {
  nightlySteps,
  nightRecord,
  notRunLine,
  resultLine,
  selectSteps,
  type Result,
  type Step,
} from "./nightly/steps.ts";
import { add, ending, NOTHING, outputCount, type Count } from "./test/count.ts";

const EXIT_USAGE = 64;
/** How long a step may take to end when its time is over. */
const GRACE_MS = 10_000;

const root = join(import.meta.dirname, "..");
const log = join(root, "tests/nightly.txt");

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { only: { type: "string" }, seed: { type: "string" } } });
  const seed = values.seed ?? new Date().toISOString().slice(0, 10).replaceAll("-", "");
  const all = nightlySteps(seed);
  const steps = selectSteps(all, values.only);
  if (!steps) {
    console.error(`no step ${values.only}; there are: ${all.map(({ name }) => name).join(", ")}`);
    return EXIT_USAGE;
  }
  const commit = execFileSync("git", ["rev-parse", "--short=12", "HEAD"], { cwd: root, encoding: "utf8" });
  const head = `${new Date().toISOString()} commit ${commit.trim()}, Node ${process.version}, ${availableParallelism()} cores, seed ${seed}`;
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  const results: Result[] = [];
  for (const step of steps) {
    console.log(`\n═══ ${step.name}: npm ${step.argv.join(" ")}`);
    const from = performance.now();
    const count = await run(step, stop.signal);
    // A step that was interrupted has neither passed nor failed.
    if (stop.signal.aborted) break;
    const result = { name: step.name, count, seconds: Math.round((performance.now() - from) / 1000) };
    results.push(result);
    console.log(`═══ ${resultLine(result)}`);
    writeFileSync(log, nightRecord(head, all, results));
  }
  const total = results.map(({ count }) => count).reduce(add, NOTHING);
  const notRun = notRunLine(all, results);
  if (notRun !== undefined) console.log(`\n${notRun}`);
  console.log(ending(total));
  return total.failed === 0 && !stop.signal.aborted ? 0 : 1;
}

async function run({ name, argv, env, withinMinutes }: Step, stop: AbortSignal): Promise<Count> {
  const limit = AbortSignal.timeout(withinMinutes * 60_000);
  const { output, isOk } = await runStep("npm", argv, {
    cwd: root,
    env: { ...process.env, ...env },
    until: AbortSignal.any([limit, stop]),
    graceMs: GRACE_MS,
    print: (text) => void process.stdout.write(text),
  });
  if (!isOk && limit.aborted)
    console.error(`${name} was not done after ${withinMinutes} minutes: it was ended`);
  return outputCount(name, output, isOk);
}

process.exitCode = await main();
