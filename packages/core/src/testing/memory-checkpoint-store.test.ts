import { expect, it } from "vitest";
import { checkpointStoreSuite } from "./checkpoint-store-suite.ts";
import { MemoryCheckpointStore } from "./memory-checkpoint-store.ts";
import { MemoryRedis } from "./memory-redis.ts";
import { newStream } from "./test-values.ts";

checkpointStoreSuite("Redis in memory", async () => {
  const redis = new MemoryRedis();
  let nonces = 0;
  return {
    connect: async (worker) => new MemoryCheckpointStore(redis, worker, `nonce-${(nonces += 1)}`),
    lapse: async (worker) => redis.lapse(worker),
    index: async (index) => redis.index(index),
  };
});

it("R3: the last write can be lost, and only that one", async () => {
  const redis = new MemoryRedis();
  const store = new MemoryCheckpointStore(redis, "w1", "n");
  const record = newStream();
  await store.open({ record, log: [] });
  await store.write(record, { from: ["opening"], patch: { waiting_for: "x" }, takeKeys: ["b/k"] });
  redis.loseLastWrite();
  redis.loseLastWrite();
  expect(redis.record("s1")).toEqual(record);
  expect(redis.takenKeys()).toEqual([]);
});
