/** One named test of a checkout, and how it ended. */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Mutant } from "./mutants.ts";

export type Ended = "passed" | "failed" | "not run";

interface Report {
  testResults: { assertionResults: { title: string; status: string }[] }[];
}

export function runTest(directory: string, { project, file, test }: Mutant): Ended {
  const report = join(directory, "mutant.json");
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--project", project, file];
  const named = ["--testNamePattern", RegExp.escape(test)];
  const told = ["--reporter", "json", "--outputFile", report];
  rmSync(report, { force: true });
  const { error } = spawnSync(process.execPath, [...vitest, ...named, ...told], {
    cwd: directory,
    stdio: "ignore",
  });
  if (error) throw error;
  const { testResults } = JSON.parse(readFileSync(report, "utf8")) as Report;
  const of = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ title }) => title.startsWith(test));
  if (of.some(({ status }) => status === "failed")) return "failed";
  return of.some(({ status }) => status === "passed") ? "passed" : "not run";
}
