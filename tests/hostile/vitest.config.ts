import { defineConfig } from "vitest/config";
import { SECOND_TRY } from "../../vitest.config.ts";

/** One attack at a time: what it costs in memory is measured. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["**/*.test.ts"],
    exclude: ["**/node_modules/**"],
    maxWorkers: 1,
    retry: SECOND_TRY,
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
