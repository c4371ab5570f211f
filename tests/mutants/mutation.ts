/**
 * `npm run mutation`: Stryker changes the decisions of packages/core in every way it knows, in a copy of the checkout, and
 * counts the changes that no unit test notices. Writes tests/mutants/mutation.json, and from it docs/internals/mutation-score.md. Takes
 * a quarter of an hour and more; what was tried once is tried again only when the code or its tests have changed, and
 * `-- --mutate src/stream/state.ts` tries one file.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CheckoutCopy } from "./checkout-copy.ts";
import { scorePage, trimReport, type Report, type StrykerReport } from "./mutation-score.ts";

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

/** The commit whose code was tried; a working tree that differs from it says so. */
function triedCommit(): string {
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const changed = git("status", "--porcelain", "--", "packages/core");
  return `${git("rev-parse", "--short=12", "HEAD")}${changed === "" ? "" : " with changes"}`;
}

function main(): number {
  const stryker = bringStryker();
  using copy = new CheckoutCopy(root);
  const cwd = join(copy.directory, "packages/core");
  const config = join(copy.directory, "tests/mutants/stryker.config.json");
  const known = join(root, ".sluice/mutation-incremental.json");
  const options = ["--incremental", "--incrementalFile", known, ...process.argv.slice(2)];
  const commit = triedCommit();
  const { status } = spawnSync(process.execPath, [stryker, "run", config, ...options], {
    cwd,
    stdio: "inherit",
  });
  if (status !== 0) return status ?? 1;
  const files = trimReport(JSON.parse(readFileSync(join(cwd, "mutation.json"), "utf8")) as StrykerReport);
  const report: Report = { date: new Date().toISOString().slice(0, 10), commit, files };
  writeFileSync(join(import.meta.dirname, "mutation.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  writeFileSync(join(root, "docs/internals/mutation-score.md"), scorePage(report));
  return 0;
}

process.exitCode = main();
