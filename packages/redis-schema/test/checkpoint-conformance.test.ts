/** Core's conformance suite for checkpoint stores, on Redis. */
import { checkpointStoreSuite } from "@sluice/core/testing/checkpoint-store-suite";
import { StreamStore } from "@sluice/redis-schema";
import { afterAll } from "vitest";
import { register, startHarness, type Harness } from "./harness.ts";

let harness: Promise<Harness> | undefined;
afterAll(async () => {
  await (await harness)?.stop();
});

checkpointStoreSuite("Redis", async () => {
  harness ??= startHarness();
  const schema = (await harness).fresh();
  const { redis, keys } = schema;
  let nonces = 0;
  return {
    connect: async (workerId) => {
      const identity = { workerId, nonce: `nonce-${(nonces += 1)}` };
      // The process before, under the same id, is gone.
      await redis.del(keys.worker(workerId));
      await register(schema, identity);
      return new StreamStore(schema, identity);
    },
    lapse: async (workerId) => void (await redis.del(keys.worker(workerId))),
    index: (index) => redis.zrange(keys.index(index), "0", "-1"),
  };
});
