/**
 * `npm run mutants`: each promise is broken by its patch in a copy of the checkout, and its test must turn red there
 * after it was green without the patch. Writes docs/internals/mutants.md. The last line is `N passed, N failed`.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CheckoutCopy } from "./checkout-copy.ts";
import { MUTANTS, type Mutant } from "./mutants.ts";
import { runTest, type Ended } from "./run-test.ts";

interface Outcome {
  mutant: Mutant;
  before: Ended;
  after: Ended;
}

const root = join(import.meta.dirname, "../..");

function tryMutant(copy: CheckoutCopy, mutant: Mutant): Outcome {
  const patch = join(import.meta.dirname, "patches", `${mutant.promise}.patch`);
  const before = runTest(copy.directory, mutant);
  copy.apply(patch);
  try {
    return { mutant, before, after: runTest(copy.directory, mutant) };
  } finally {
    copy.takeBack(patch);
  }
}

function isCaught({ before, after }: Outcome): boolean {
  return before === "passed" && after === "failed";
}

function page(outcomes: readonly Outcome[]): string {
  return `${[
    "# Broken promises",
    "",
    "Written by `npm run mutants`: each patch of `tests/mutants/patches` breaks one promise in a copy of the checkout; the",
    "test named beside it passes without the patch and has to fail with it.",
    "",
    "| promise | what the patch breaks | test | without | with |",
    "| --- | --- | --- | --- | --- |",
    ...outcomes.map(
      ({ mutant, before, after }) =>
        `| ${mutant.promise} | ${mutant.breaks} | ${mutant.test} (\`${mutant.file}\`) | ${before} | ${after} |`,
    ),
  ].join("\n")}\n`;
}

function main(): number {
  using copy = new CheckoutCopy(root);
  const outcomes = MUTANTS.map((mutant) => {
    const outcome = tryMutant(copy, mutant);
    const { before, after } = outcome;
    console.log(
      `${isCaught(outcome) ? "  ok  " : "FAILED"} ${mutant.promise} ${mutant.breaks}: ${before}, with it ${after}`,
    );
    return outcome;
  });
  writeFileSync(join(root, "docs/internals/mutants.md"), page(outcomes));
  const caught = outcomes.filter(isCaught).length;
  console.log(`\n${caught} passed, ${outcomes.length - caught} failed`);
  return caught === outcomes.length ? 0 : 1;
}

process.exitCode = main();
