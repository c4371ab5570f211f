/** Turns a runner's JSON report and exit code into passed and failed: a run that failed never counts as clean. */

export interface Count {
  readonly passed: number;
  readonly failed: number;
  /** One line for each test that failed or passed only at its second try, printed at the end of a long log. */
  readonly remarks: readonly string[];
}

export const NOTHING: Count = { passed: 0, failed: 0, remarks: [] };

export function add(a: Count, b: Count): Count {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, remarks: [...a.remarks, ...b.remarks] };
}

export function checkCount(name: string, ok: boolean): Count {
  return ok ? { ...NOTHING, passed: 1 } : { passed: 0, failed: 1, remarks: [failedLine(name)] };
}

/** @param report the parsed output of vitest's `json` reporter; undefined when the run died before writing it */
export function vitestCount(name: string, report: unknown, ok: boolean): Count {
  const { numPassedTests = 0, numFailedTests = 0, testResults = [] } = (report ?? {}) as VitestReport;
  const remarks = testResults.flatMap((file) =>
    file.assertionResults.flatMap(({ status, fullName, failureMessages = [] }) => {
      if (status === "failed") return [failedLine(name, fullName)];
      return failureMessages.length > 0 ? [secondTryLine(name, fullName)] : [];
    }),
  );
  // A file that fails before its first test has no failed test in the report.
  const broken = testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed"),
  );
  return neverClean(
    name,
    {
      passed: numPassedTests,
      failed: numFailedTests + broken.length,
      remarks: [
        ...remarks,
        ...broken.map((file) => failedLine(name, `${file.name}: broke before its first test`)),
      ],
    },
    ok,
  );
}

/** @param report the parsed output of Playwright's `json` reporter; undefined when the run died before writing it */
export function playwrightCount(name: string, report: unknown, ok: boolean): Count {
  const { stats, errors = [], suites = [] } = (report ?? {}) as PlaywrightReport;
  const { expected = 0, unexpected = 0, flaky = 0 } = stats ?? {};
  const remarks = suites.flatMap(specsOf).flatMap(({ title, tests }) => {
    if (tests.some(({ status }) => status === "unexpected")) return [failedLine(name, title)];
    return tests.some(({ status }) => status === "flaky") ? [secondTryLine(name, title)] : [];
  });
  return neverClean(name, { passed: expected + flaky, failed: unexpected + errors.length, remarks }, ok);
}

/** The line that ends every run of tests in this project, alone. */
export function countLine({ passed, failed }: Count): string {
  return `${passed} passed, ${failed} failed`;
}

/**
 * What a suite printed: the last line with its counts, and the lines that need attention. A suite without such a line
 * counts as one test.
 */
export function outputCount(name: string, output: string, ok: boolean): Count {
  const lines = output.split("\n");
  const sum = lines
    .map((line) => /^(\d+) passed, (\d+) failed$/.exec(line))
    .findLast((match) => match !== null);
  if (!sum) return checkCount(name, ok);
  const remarks = lines.filter((line) => /^(FAILED|SECOND TRY) /.test(line));
  return neverClean(name, { passed: Number(sum[1]), failed: Number(sum[2]), remarks }, ok);
}

/** The end of a test run: what needs attention, then the line. */
export function ending(count: Count): string {
  return ["", ...count.remarks, countLine(count)].join("\n");
}

function neverClean(name: string, count: Count, ok: boolean): Count {
  if (ok || count.failed > 0) return count;
  return { ...count, failed: 1, remarks: [...count.remarks, failedLine(name, "the runner itself")] };
}

function failedLine(...what: string[]): string {
  return `FAILED ${what.join(": ")}`;
}

function secondTryLine(...what: string[]): string {
  return `SECOND TRY ${what.join(": ")}`;
}

function specsOf({ specs = [], suites = [] }: PlaywrightSuite): PlaywrightSpec[] {
  return [...specs, ...suites.flatMap(specsOf)];
}

interface VitestReport {
  numPassedTests?: number;
  numFailedTests?: number;
  testResults?: {
    name: string;
    status: string;
    assertionResults: { status: string; fullName: string; failureMessages?: string[] }[];
  }[];
}

interface PlaywrightReport {
  stats?: { expected?: number; unexpected?: number; flaky?: number };
  errors?: unknown[];
  suites?: PlaywrightSuite[];
}

interface PlaywrightSuite {
  specs?: PlaywrightSpec[];
  suites?: PlaywrightSuite[];
}

interface PlaywrightSpec {
  title: string;
  tests: { status: string }[];
}
