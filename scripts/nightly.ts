/**
 * `npm run nightly [-- --only STEP[,…]] [--seed N]`: what is too long for every change. Writes tests/nightly.txt, to be
 * committed: when, on which commit and machine, and each step's time and result. The last line is `N passed, N failed`.
 */
import { execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { add, countLine, ending, NOTHING, outputCount, type Count } from "./test/count.ts";
import { nightlySteps, selectSteps, type Step } from "./nightly/steps.ts";

const EXIT_USAGE = 64;

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
  const lines = [
    `${new Date().toISOString()} commit ${commit.trim()}, Node ${process.version}, ${availableParallelism()} cores, seed ${seed}`,
  ];
  let total = NOTHING;
  for (const step of steps) {
    console.log(`\n═══ ${step.name}: npm ${step.argv.join(" ")}`);
    const from = performance.now();
    const count = await run(step);
    const seconds = Math.round((performance.now() - from) / 1000);
    const result = `${step.name}: ${countLine(count)} in ${seconds} s`;
    lines.push(result, ...count.told);
    console.log(`═══ ${result}`);
    total = add(total, count);
    writeFileSync(log, `${[...lines, countLine(total)].join("\n")}\n`);
  }
  console.log(ending(total));
  return total.failed === 0 ? 0 : 1;
}

async function run({ name, argv, env, withinMinutes }: Step): Promise<Count> {
  const child = spawn("npm", argv, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  const pid = child.pid ?? 0;
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    process.stdout.write(text);
    output += text;
  });
  // The step's own children end with it.
  const limit = setTimeout(() => process.kill(-pid, "SIGKILL"), withinMinutes * 60_000);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  }).finally(() => clearTimeout(limit));
  return outputCount(name, output, code === 0);
}

process.exitCode = await main();
