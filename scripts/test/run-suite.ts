/** Runs one suite with its output on the terminal, prints how long it took, and counts it. */
import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkCount, countLine, playwrightCount, vitestCount, type Count } from "./count.ts";
import type { Suite } from "./suites.ts";

/** A suite that hangs is a failure, not an endless wait. */
const SUITE_WITHIN_MINUTES = 12;

export async function runSuite(root: string, suite: Suite): Promise<Count> {
  const from = performance.now();
  console.log(`\n── ${suite.name}`);
  const report = join(tmpdir(), `sluice-test-${process.pid}-${suite.name.replaceAll(" ", "-")}.json`);
  try {
    const ok = (await exitCode(root, suite, report)) === 0;
    const count = counted(suite, report, ok);
    const seconds = ((performance.now() - from) / 1000).toFixed(1);
    console.log(`── ${suite.name}: ${countLine(count)} in ${seconds} s`);
    return count;
  } finally {
    rmSync(report, { force: true });
  }
}

function counted(suite: Suite, report: string, ok: boolean): Count {
  switch (suite.kind) {
    case "check":
      return checkCount(suite.name, ok);
    case "vitest":
      return vitestCount(suite.name, parsed(report), ok);
    case "playwright":
      return playwrightCount(suite.name, parsed(report), ok);
  }
}

function exitCode(
  root: string,
  { kind, argv, withinMinutes = SUITE_WITHIN_MINUTES }: Suite,
  report: string,
): Promise<number | null> {
  const reporters = {
    check: [],
    vitest: ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
    playwright: ["--reporter=list,json"],
  }[kind];
  const env = { ...process.env, PLAYWRIGHT_JSON_OUTPUT_FILE: report };
  const child = spawn(process.execPath, [...argv, ...reporters], { cwd: root, env, stdio: "inherit" });
  const limit = setTimeout(() => {
    console.error(`not done after ${withinMinutes} minutes: killed`);
    child.kill("SIGKILL");
  }, withinMinutes * 60_000);
  return new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  }).finally(() => clearTimeout(limit));
}

/** A runner that died leaves no report, or half of one; its exit code shows the rest. */
function parsed(report: string): unknown {
  try {
    return JSON.parse(readFileSync(report, "utf8"));
  } catch {
    return undefined;
  }
}
