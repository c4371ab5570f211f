/** The suites of redis-schema, as they are, with the simulated Redis in the place of the real one. */
import { defineConfig } from "vitest/config";

const HERE = import.meta.dirname;

export default defineConfig({
  root: `${HERE}/../..`,
  resolve: {
    alias: [{ find: /^\.\/redis-server\.ts$/, replacement: `${HERE}/redis/test-server.ts` }],
  },
  test: {
    include: [
      "packages/redis-schema/test/{checkpoint-conformance,clean-up,dashboard-keys,half-done,index-repair,one-index,outbox,parity,reader,requests,stream-claim,stream-open,stream-refusals,stream-write,worker-registry}.test.ts",
    ],
    testTimeout: 60_000,
  },
});
