/** Turns a runner's JSON report and exit code into passed and failed: a run that failed never counts as clean. */

export interface Count {
  readonly passed: number;
  readonly failed: number;
}

export function add(a: Count, b: Count): Count {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed };
}

export function checkCount(ok: boolean): Count {
  return ok ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** @param report the parsed output of vitest's `json` reporter; undefined when the run died before writing it */
export function vitestCount(report: unknown, ok: boolean): Count {
  const { numPassedTests = 0, numFailedTests = 0, testResults = [] } = (report ?? {}) as VitestReport;
  // A file that fails before its first test has no failed test to show for it.
  const broken = testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed"),
  );
  return neverClean({ passed: numPassedTests, failed: numFailedTests + broken.length }, ok);
}

/** @param report the parsed output of Playwright's `json` reporter; undefined when the run died before writing it */
export function playwrightCount(report: unknown, ok: boolean): Count {
  const { stats, errors = [] } = (report ?? {}) as PlaywrightReport;
  const { expected = 0, unexpected = 0, flaky = 0 } = stats ?? {};
  return neverClean({ passed: expected + flaky, failed: unexpected + errors.length }, ok);
}

/** The line that ends every run of tests in this project, alone. */
export function countLine({ passed, failed }: Count): string {
  return `${passed} passed, ${failed} failed`;
}

function neverClean(count: Count, ok: boolean): Count {
  return ok || count.failed > 0 ? count : { ...count, failed: 1 };
}

interface VitestReport {
  numPassedTests?: number;
  numFailedTests?: number;
  testResults?: { status: string; assertionResults: { status: string }[] }[];
}

interface PlaywrightReport {
  stats?: { expected?: number; unexpected?: number; flaky?: number };
  errors?: unknown[];
}
