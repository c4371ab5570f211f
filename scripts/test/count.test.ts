import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { nightlySteps, nightRecord, selectSteps } from "../nightly/steps.ts";
import { add, checkCount, ending, outputCount, playwrightCount, vitestCount } from "./count.ts";
import { allSuites, selectSuites } from "./suites.ts";
import { installCommand, missingPackages } from "./system-packages.ts";

it("a check counts as one test, and one that fails is named", () => {
  const count = add(checkCount("types", true), checkCount("lint", false));
  expect(ending(count)).toBe("\nFAILED lint\n1 passed, 1 failed");
});

it("vitest's tests are counted as it reports them; failures and second tries are named", () => {
  const report = {
    numPassedTests: 2,
    numFailedTests: 1,
    testResults: [
      {
        name: "a.test.ts",
        status: "failed",
        assertionResults: [
          { status: "passed", fullName: "holds", failureMessages: [] },
          { status: "passed", fullName: "holds in the end", failureMessages: ["not yet"] },
          { status: "failed", fullName: "does not hold", failureMessages: ["no", "no again"] },
        ],
      },
    ],
  };
  expect(vitestCount("unit", report, false)).toEqual({
    passed: 2,
    failed: 1,
    remarks: ["SECOND TRY unit: holds in the end", "FAILED unit: does not hold"],
  });
});

it("a test file that breaks before its first test is a failure", () => {
  const report = {
    numPassedTests: 7,
    numFailedTests: 0,
    testResults: [{ name: "a.test.ts", status: "failed", assertionResults: [] }],
  };
  expect(vitestCount("unit", report, false)).toEqual({
    passed: 7,
    failed: 1,
    remarks: ["FAILED unit: a.test.ts: broke before its first test"],
  });
});

it("a runner that dies, or fails without a failed test, is a failure", () => {
  const remarks = ["FAILED unit: the runner itself"];
  expect(vitestCount("unit", undefined, false)).toEqual({ passed: 0, failed: 1, remarks });
  expect(vitestCount("unit", { numPassedTests: 7, testResults: [] }, false)).toEqual({
    passed: 7,
    failed: 1,
    remarks,
  });
  expect(playwrightCount("unit", undefined, false)).toEqual({ passed: 0, failed: 1, remarks });
});

it("Playwright's second tries pass and are named; its unexpected ones and its own errors fail", () => {
  const spec = (title: string, status: string) => ({ title, tests: [{ status }] });
  const report = {
    stats: { expected: 5, unexpected: 1, flaky: 1 },
    errors: [{}],
    suites: [
      { specs: [spec("a", "expected")], suites: [{ specs: [spec("b", "flaky"), spec("c", "unexpected")] }] },
    ],
  };
  expect(playwrightCount("browser", report, false)).toEqual({
    passed: 6,
    failed: 2,
    remarks: ["SECOND TRY browser: b", "FAILED browser: c"],
  });
});

it("a suite that prints its sum is counted by it, one that does not by its exit code", () => {
  const output = "1 passed, 0 failed\nFAILED b: c\nSECOND TRY b: d\n7 passed, 1 failed\n";
  const remarks = ["FAILED b: c", "SECOND TRY b: d"];
  expect(outputCount("b", output, false)).toEqual({ passed: 7, failed: 1, remarks });
  expect(outputCount("b", "7 passed, 0 failed", false).failed).toBe(1);
  expect(outputCount("b", "", true)).toEqual({ passed: 1, failed: 0, remarks: [] });
  expect(outputCount("b", "cut off", false)).toEqual({ passed: 0, failed: 1, remarks: ["FAILED b"] });
});

it("a night has steps with names of their own, and one can be chosen", () => {
  const steps = nightlySteps("7");
  expect(new Set(steps.map(({ name }) => name)).size).toBe(steps.length);
  expect(selectSteps(steps, "model")?.map(({ name }) => name)).toEqual(["model"]);
  expect(selectSteps(steps, "compose,model")?.map(({ name }) => name)).toEqual(["model", "compose"]);
  expect(selectSteps(steps, "model,nothing")).toBeUndefined();
});

it("the record of a night names the steps that were not run, and says nothing of the kind after a whole night", () => {
  const steps = nightlySteps("7");
  const result = (name: string) => ({ name, count: checkCount(name, true), seconds: 3 });
  expect(nightRecord("head", steps, [result("model")])).toBe(
    "head\nmodel: 1 passed, 0 failed in 3 s\nnot run: simulation, kills on local-s3, kills on Ceph RGW, hostile, rules, stores, days, compose\n1 passed, 0 failed\n",
  );
  const whole = nightRecord(
    "head",
    steps,
    steps.map(({ name }) => result(name)),
  );
  expect(whole).not.toContain("not run");
  expect(whole).toMatch(new RegExp(`\\n${steps.length} passed, 0 failed\\n$`));
});

it("the committed record of a night leaves no step out", () => {
  const lines = readFileSync(join(import.meta.dirname, "../../tests/nightly.txt"), "utf8")
    .trim()
    .split("\n");
  const run = nightlySteps("7").filter(({ name }) => lines.some((line) => line.startsWith(`${name}: `)));
  const notRun = lines.findLast((line) => line.startsWith("not run: "))?.slice("not run: ".length);
  const named = [...run.map(({ name }) => name), ...(notRun?.split(", ") ?? [])];
  expect(named.toSorted()).toEqual(
    nightlySteps("7")
      .map(({ name }) => name)
      .toSorted(),
  );
});

it("suites can be chosen by name or as the checks together", () => {
  const suites = allSuites("/nowhere");
  expect(selectSuites(suites, undefined)).toEqual(suites);
  expect(selectSuites(suites, "checks")?.map(({ name }) => name)).toEqual([
    "format",
    "lint",
    "types",
    "dead code",
  ]);
  expect(selectSuites(suites, "unit")?.map(({ name }) => name)).toEqual(["unit"]);
  expect(selectSuites(suites, "nothing")).toBeUndefined();
});

it("one command installs what is missing, and any known program of a package will do", () => {
  const missing = missingPackages("/usr/bin:/opt/bin", (file) => file === "/opt/bin/valkey-server");
  expect(missing.map(({ debian }) => debian)).toEqual(["chromium", "ffmpeg"]);
  expect(installCommand(missing, "linux")).toBe(
    "sudo apt-get update && sudo apt-get install -y chromium ffmpeg",
  );
  expect(installCommand(missing, "darwin")).toBe("brew install chromium ffmpeg");
});
