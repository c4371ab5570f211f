/**
 * `npm run simulate`: plays histories until the time is over, or one by its seed.
 *
 *   --seed N       this one; --log prints all that happened
 *   --shrink       makes what failed small, and prints its plan
 *   --plan FILE    one that is kept as a plan, as those in corpus/
 *   --minutes M    new seeds for so long (default 1), from --from S (default: the time of day), at most --count C
 *   --cpu S        ends after so many seconds of CPU time
 *   --first        ends with the first that fails
 *   --coverage     what happened in how many of them
 *   --pairs        writes which actions met which states into docs/internals/simulation.md
 *   --twice        each seed twice: the two logs must be the same
 *   --corpus       before them, every plan of corpus/
 *   --record       adds the run to runs.ndjson, from which RELIABILITY.md is made
 */
import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readCommit } from "../chaos/commit.ts";
import type { SimulatedRun } from "../chaos/report/simulated.ts";
import { Coverage } from "./history/coverage.ts";
import { Pairs } from "./history/pairs.ts";
import { planOf, type Plan } from "./history/plan.ts";
import { play, type Played } from "./history/run.ts";
import { shrink, timelineOf } from "./history/shrink.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    plan: { type: "string" },
    minutes: { type: "string", default: "1" },
    count: { type: "string" },
    cpu: { type: "string" },
    first: { type: "boolean", default: false },
    from: { type: "string" },
    shrink: { type: "boolean", default: false },
    log: { type: "boolean", default: false },
    coverage: { type: "boolean", default: false },
    pairs: { type: "boolean", default: false },
    twice: { type: "boolean", default: false },
    corpus: { type: "boolean", default: false },
    record: { type: "boolean", default: false },
  },
});

interface Sum {
  histories: number;
  failed: number[];
  actions: number;
  steps: number;
  simulatedMs: number;
}

async function one(plan: Plan): Promise<boolean> {
  const played = await play(plan);
  if (values.log) for (const line of played.log) console.log(line);
  await show(plan, played);
  return played.violations.length === 0;
}

/** Shrinking takes a minute or two; where many fail, the first few tell enough. */
const MOST_SHRUNK = 3;
let shrunkSoFar = 0;

async function show(plan: Plan, played: Played): Promise<void> {
  const shrinks = values.shrink && played.violations.length > 0 && shrunkSoFar < MOST_SHRUNK;
  if (shrinks) shrunkSoFar += 1;
  const shown = shrinks ? await shrink(plan, played) : { plan, played };
  for (const line of timelineOf(shown.plan, shown.played)) console.log(line);
  if (shrinks) console.log(JSON.stringify(shown.plan));
}

const ROOT = join(import.meta.dirname, "../..");
const CORPUS = join(import.meta.dirname, "corpus");

const coverage = new Coverage();
const pairs = new Pairs();

async function many(from: number, endMs: number, count: number): Promise<Sum> {
  const sum: Sum = { histories: 0, failed: [], actions: 0, steps: 0, simulatedMs: 0 };
  const mostCpuMs = values.cpu === undefined ? Infinity : Number(values.cpu) * 1_000;
  const isOver = (): boolean => performance.now() >= endMs || cpuMs() >= mostCpuMs;
  for (let seed = from; seed < from + count && !isOver(); seed += 1) {
    const plan = planOf(seed);
    const played = await play(plan);
    const complaint = values.twice ? difference(played, await play(plan)) : undefined;
    coverage.add(plan, played.log);
    pairs.add(played.pairs);
    sum.histories += 1;
    sum.actions += played.actions;
    sum.steps += played.steps;
    sum.simulatedMs += played.simulatedMs;
    const violations = [...played.violations, ...(complaint === undefined ? [] : [complaint])];
    if (violations.length === 0) continue;
    sum.failed.push(seed);
    await show(plan, { ...played, violations });
    console.log(`FAILED seed ${seed}: ${violations[0]} (again: npm run simulate -- --seed ${seed})`);
    if (values.first) break;
  }
  return sum;
}

/** Of this process since its start. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function difference(a: Played, b: Played): string | undefined {
  const at = a.log.findIndex((line, index) => line !== b.log[index]);
  if (at < 0 && a.log.length === b.log.length) return undefined;
  return `8: the second run differs at line ${at}: ${a.log[at]} / ${b.log[at]}`;
}

async function main(): Promise<boolean> {
  if (values.plan !== undefined) return await one(JSON.parse(readFileSync(values.plan, "utf8")) as Plan);
  if (values.seed !== undefined) return await one(planOf(Number(values.seed)));
  const from = values.from === undefined ? Date.now() % 1_000_000_000 : Number(values.from);
  const endMs = performance.now() + Number(values.minutes) * 60_000;
  const more = values.corpus ? await corpus() : { passed: 0, failed: 0 };
  const sum = await many(from, endMs, values.count === undefined ? Infinity : Number(values.count));
  report(from, sum, more);
  if (values.record) record(from, sum);
  if (values.pairs) pairs.write(join(ROOT, "docs/internals/simulation.md"), sum.histories, from);
  return sum.failed.length + more.failed === 0;
}

async function corpus(): Promise<{ passed: number; failed: number }> {
  const sum = { passed: 0, failed: 0 };
  for (const file of readdirSync(CORPUS)) {
    const plan = JSON.parse(readFileSync(join(CORPUS, file), "utf8")) as Plan;
    const played = await play(plan);
    sum[played.violations.length === 0 ? "passed" : "failed"] += 1;
    if (played.violations.length === 0) continue;
    for (const line of timelineOf(plan, played)) console.log(line);
    const again = `again: npm run simulate -- --plan tests/simulation/corpus/${file}`;
    console.log(`FAILED plan ${file}: ${played.violations[0]} (${again})`);
  }
  return sum;
}

function report(from: number, sum: Sum, more: { passed: number; failed: number }): void {
  if (values.coverage) for (const line of coverage.lines()) console.log(line);
  const cpuMinutes = cpuMs() / 60_000;
  const each = (total: number): number => Math.round(total / Math.max(1, sum.histories));
  console.log(
    `${sum.histories} histories from seed ${from}: ${each(sum.actions)} actions, ${each(sum.steps)} steps and ` +
      `${each(sum.simulatedMs / 1_000)} simulated seconds each; ${Math.round(sum.histories / cpuMinutes)} a CPU minute`,
  );
  const passed = sum.histories - sum.failed.length + more.passed;
  console.log(`${passed} passed, ${sum.failed.length + more.failed} failed`);
}

function record(from: number, { histories, failed, simulatedMs }: Sum): void {
  const run: SimulatedRun = {
    startedAt: new Date(performance.timeOrigin).toISOString(),
    ...readCommit(ROOT),
    node: process.version,
    cpus: availableParallelism(),
    from,
    histories,
    failed,
    simulatedHours: Math.round(simulatedMs / 3_600_000),
    cpuSeconds: Math.round(cpuMs() / 1_000),
  };
  appendFileSync(join(ROOT, "tests/simulation/runs.ndjson"), `${JSON.stringify(run)}\n`);
}

process.exitCode = (await main()) ? 0 : 1;
