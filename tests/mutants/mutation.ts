/**
 * `npm run mutation`: Stryker changes the decisions of packages/core in every way it knows, in a copy of the checkout, and
 * counts the changes that no unit test notices. Writes docs/mutation-score.md; takes a quarter of an hour and more.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CheckoutCopy } from "./checkout-copy.ts";
import { readScores, scorePage } from "./mutation-score.ts";

const root = join(import.meta.dirname, "../..");
const STRYKER = "10.1.1";

/**
 * Brought when it is wanted, since nobody else needs its two hundred packages. It finds vitest, which it is not to bring
 * itself, further up: in the checkout.
 */
function bringStryker(): string {
  const home = join(root, ".sluice", `stryker-${STRYKER}`);
  const program = join(home, "node_modules/@stryker-mutator/core/bin/stryker.js");
  if (existsSync(program)) return program;
  console.log(`installing Stryker ${STRYKER}, once`);
  const packages = ["core", "vitest-runner"].map((name) => `@stryker-mutator/${name}@${STRYKER}`);
  const quietly = ["--legacy-peer-deps", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund"];
  mkdirSync(home, { recursive: true });
  execFileSync("npm", ["install", "--prefix", home, ...quietly, ...packages], { stdio: "inherit" });
  return program;
}

function main(): number {
  const stryker = bringStryker();
  using copy = new CheckoutCopy(root);
  const cwd = join(copy.directory, "packages/core");
  const config = join(copy.directory, "tests/mutants/stryker.config.json");
  const { status } = spawnSync(process.execPath, [stryker, "run", config, ...process.argv.slice(2)], {
    cwd,
    stdio: "inherit",
  });
  if (status !== 0) return status ?? 1;
  const scores = readScores(JSON.parse(readFileSync(join(cwd, "mutation.json"), "utf8")));
  writeFileSync(join(root, "docs/mutation-score.md"), scorePage(scores));
  return 0;
}

process.exitCode = main();
