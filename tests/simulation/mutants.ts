/**
 * `npm run simulate:mutants [-- NAME…]`: each patch of `mutants/`, and each of `tests/mutants/patches`, brings one fault into a
 * copy of the checkout, and new seeds are played there until one goes wrong, for at most two minutes of CPU time. Writes
 * docs/internals/simulation-mutants.md. The seed that went wrong is played without the patch too: it counts only if it ends well
 * there. The last line is `N passed, N failed`: a fault that no seed showed has failed.
 */
import { spawnSync } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { CheckoutCopy } from "../mutants/checkout-copy.ts";

const CPU_SECONDS = 120;
/** The same for all: what finds a fault is no luck of the day. */
const FIRST_SEED = 1;

interface Outcome {
  name: string;
  /** The first line of the patch, where it says what the product does with it. */
  breaks: string;
  histories: number;
  /** Undefined: nothing went wrong. */
  violation: string | undefined;
}

const root = join(import.meta.dirname, "../..");

function tryMutant(copy: CheckoutCopy, patch: string): Outcome {
  const simulate = (...argv: readonly string[]): { stdout: string; status: number | null } =>
    spawnSync(process.execPath, ["tests/simulation/main.ts", ...argv], {
      cwd: copy.directory,
      encoding: "utf8",
    });
  copy.apply(patch);
  let stdout: string;
  try {
    const seeds = ["--minutes", "20", "--cpu", String(CPU_SECONDS), "--from", String(FIRST_SEED)];
    ({ stdout } = simulate("--first", ...seeds));
  } finally {
    copy.takeBack(patch);
  }
  const violation = /^→ (.*)$/m.exec(stdout)?.[1];
  const seed = /^FAILED seed (\d+):/m.exec(stdout)?.[1];
  const isClean = seed === undefined || simulate("--seed", seed).status === 0;
  return {
    name: basename(patch, ".patch"),
    breaks: /^# (.*)$/m.exec(readFileSync(patch, "utf8"))?.[1] ?? "",
    histories: Number(/^(\d+) histories/m.exec(stdout)?.[1] ?? 0),
    violation: isClean ? violation : undefined,
  };
}

function page(outcomes: readonly Outcome[]): string {
  const found = outcomes.filter(({ violation }) => violation !== undefined).length;
  return `${[
    "# Faults that the simulated world has to find",
    "",
    "Written by `npm run simulate:mutants`: each patch brings one fault into a copy of the checkout, and seeds from 1 on are",
    `played there for at most ${CPU_SECONDS} seconds of CPU time. ${found} of ${outcomes.length} were found. A seed counts only if it ends well`,
    "without the patch.",
    "",
    "| fault | histories until it showed | what went wrong |",
    "| --- | --- | --- |",
    ...outcomes.map(({ name, breaks, histories, violation }) => {
      const what = (violation ?? "**not found**").replaceAll("|", "\\|").slice(0, 120);
      return `| ${name}: ${breaks} | ${histories} | ${what} |`;
    }),
  ].join("\n")}\n`;
}

function main(): number {
  const wanted = process.argv.slice(2);
  const patches = globSync(["tests/simulation/mutants/*.patch", "tests/mutants/patches/*.patch"], {
    cwd: root,
  })
    .toSorted()
    .filter((patch) => wanted.length === 0 || wanted.includes(basename(patch, ".patch")));
  using copy = new CheckoutCopy(root);
  const outcomes: Outcome[] = [];
  for (const patch of patches) {
    const outcome = tryMutant(copy, join(root, patch));
    outcomes.push(outcome);
    console.log(`${outcome.name}: ${outcome.histories} histories, ${outcome.violation ?? "NOT FOUND"}`);
  }
  if (wanted.length === 0) writeFileSync(join(root, "docs/internals/simulation-mutants.md"), page(outcomes));
  const failed = outcomes.filter(({ violation }) => violation === undefined).length;
  console.log(`${outcomes.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = main();
