import { expect, it } from "vitest";
import { add, checkCount, countLine, playwrightCount, vitestCount } from "./count.ts";
import { allSuites, selectSuites } from "./suites.ts";
import { installCommand, missingPackages } from "./system-packages.ts";

it("a check counts as one test", () => {
  expect(countLine(add(checkCount(true), checkCount(false)))).toBe("1 passed, 1 failed");
});

it("vitest's tests are counted as it reports them", () => {
  const file = (status: string) => ({ status, assertionResults: [{ status }] });
  const report = { numPassedTests: 7, numFailedTests: 1, testResults: [file("passed"), file("failed")] };
  expect(vitestCount(report, false)).toEqual({ passed: 7, failed: 1 });
});

it("a test file that breaks before its first test is a failure", () => {
  const report = {
    numPassedTests: 7,
    numFailedTests: 0,
    testResults: [{ status: "failed", assertionResults: [] }],
  };
  expect(vitestCount(report, false)).toEqual({ passed: 7, failed: 1 });
});

it("a runner that dies, or fails without a failed test, is a failure", () => {
  expect(vitestCount(undefined, false)).toEqual({ passed: 0, failed: 1 });
  expect(vitestCount({ numPassedTests: 7, testResults: [] }, false)).toEqual({ passed: 7, failed: 1 });
  expect(playwrightCount(undefined, false)).toEqual({ passed: 0, failed: 1 });
});

it("Playwright's retried tests pass, its unexpected ones and its own errors fail", () => {
  expect(playwrightCount({ stats: { expected: 5, unexpected: 2, flaky: 1 }, errors: [{}] }, false)).toEqual({
    passed: 6,
    failed: 3,
  });
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
