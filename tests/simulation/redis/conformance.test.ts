/**
 * What the suites of redis-schema prove of a real Redis, they prove of the simulated one: the same tests, with the client
 * of production, over a socket. Left out are those that need access lists, a memory limit or Redis's own counters.
 */
import { describe, vi } from "vitest";

vi.mock("../../../packages/redis-schema/test/redis-server.ts", () => import("./test-server.ts"));

const SUITES = [
  "checkpoint-conformance",
  "clean-up",
  "index-repair",
  "outbox",
  "parity",
  "reader",
  "stream-claim",
  "stream-open",
  "stream-refusals",
  "stream-write",
] as const;

for (const suite of SUITES) {
  describe(`the simulated Redis: ${suite}`, async () => {
    await import(`../../../packages/redis-schema/test/${suite}.test.ts`);
  });
}
