import { defineConfig } from "vitest/config";

/** For Stryker, run from packages/core: the tests beside the files it changes. */
export default defineConfig({
  test: {
    include: ["src/{checkpoint,parts,stream}/*.test.ts", "src/processor/{completion,retry}.test.ts"],
    testTimeout: 20_000,
  },
});
