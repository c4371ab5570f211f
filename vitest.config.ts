import { defineConfig } from "vitest/config";

/**
 * Tests with real processes and real time share CI's two cores with each other. There one that fails is tried once more,
 * and every second try is named at the end of the run: it passed, and it is still something to look into.
 */
export const SECOND_TRY = process.env["CI"] === "true" ? 1 : 0;

/** Unit tests sit beside the file they test; tests that need Redis, S3 or a directory sit in a package's test/. */
export default defineConfig({
  test: {
    // Suites start servers of their own; more of them at once only make each other slow.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: [
            "{apps,packages}/*/src/**/*.test.ts",
            "scripts/**/*.test.ts",
            "tests/{architecture,chaos,mutants,simulation}/**/*.test.ts",
            "tests/stores/answers/*.test.ts",
          ],
          exclude: ["scripts/integration/**", "**/node_modules/**"],
          // The first test of a file also pays for loading it, on a machine that may be busy.
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["{apps,packages}/*/test/**/*.test.ts", "scripts/integration/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          retry: SECOND_TRY,
        },
      },
    ],
  },
});
