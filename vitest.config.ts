import { defineConfig } from "vitest/config";

/** Unit tests sit beside the file they test; tests that need Redis, S3 or a directory sit in a package's test/. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["{apps,packages}/*/src/**/*.test.ts"] } },
      {
        test: {
          name: "integration",
          include: ["{apps,packages}/*/test/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
