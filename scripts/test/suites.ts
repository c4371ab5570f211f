/** Every suite of `npm test`, in the order in which they run: the quick ones first. */
import { existsSync } from "node:fs";
import { join } from "node:path";

export interface Suite {
  readonly name: string;
  /** A check counts as one test; the others are counted from the report they write. */
  readonly kind: "check" | "vitest" | "playwright";
  /** Run as `node <argv>`; a suite that writes a report appends where to. */
  readonly argv: readonly string[];
  /** Where it may take longer than others. */
  readonly withinMinutes?: number;
}

const bin = (name: string, file: string) => `node_modules/${name}/${file}`;

const CHECKS: readonly Suite[] = [
  { name: "format", kind: "check", argv: [bin("oxfmt", "bin/oxfmt"), "--check", "."] },
  { name: "lint", kind: "check", argv: [bin("oxlint", "bin/oxlint"), "--type-aware"] },
  { name: "types", kind: "check", argv: ["scripts/test/types.ts"] },
  { name: "dead code", kind: "check", argv: [bin("knip", "bin/knip.js")] },
];

const TESTS: readonly Suite[] = [
  { name: "unit", kind: "vitest", argv: [bin("vitest", "vitest.mjs"), "run", "--project", "unit"] },
  {
    name: "integration",
    kind: "vitest",
    // Most of these wait for a clock or a disk: a third at once is a quarter less time on two cores.
    argv: [bin("vitest", "vitest.mjs"), "run", "--project", "integration", "--maxWorkers=3"],
    // Twelve minutes on two idle cores; a machine that is busy besides takes half as long again, and is not hung.
    withinMinutes: 20,
  },
];

const BROWSER: Suite = {
  name: "browser",
  kind: "playwright",
  argv: [bin("@playwright/test", "cli.js"), "test", "--config", "tests/e2e"],
  // Ten minutes on two idle cores.
  withinMinutes: 20,
};

export function allSuites(root: string): Suite[] {
  const hasBrowserTests = existsSync(join(root, "tests/e2e/playwright.config.ts"));
  return [...CHECKS, ...TESTS, ...(hasBrowserTests ? [BROWSER] : [])];
}

/** `only` is `checks` or the name of one suite. Undefined when there is no such suite. */
export function selectSuites(suites: readonly Suite[], only: string | undefined): Suite[] | undefined {
  if (only === undefined) return [...suites];
  const selected = suites.filter(
    (suite) => suite.name === only || (only === "checks" && suite.kind === "check"),
  );
  return selected.length > 0 ? selected : undefined;
}
