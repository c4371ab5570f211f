import { expect, it } from "vitest";
import { newRecord } from "../stream/new-record.ts";
import { checkpointStoreSuite } from "./checkpoint-store-suite.ts";
import { MemoryCheckpointStore } from "./memory-checkpoint-store.ts";
import { MemoryRedis } from "./memory-redis.ts";
import { BUCKET, defaultRules, SOURCE } from "./test-values.ts";

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
  const record = newRecord({
    id: "s1",
    path: "/inbox/a",
    source: SOURCE,
    watch: "inbox",
    bucket: BUCKET,
    keyPrefix: "",
    contentType: "x/y",
    verify: "full",
    plan: defaultRules().plan,
    owner: "w1",
    nowUtc: "2026-01-01T00:00:00.000Z",
    facts: { size: 9, inode: "7", device: "1", mtimeNs: "2", ctimeNs: "3" },
  });
  await store.open({ record, log: [] });
  await store.write(record, { from: ["opening"], patch: { waiting_for: "x" }, takeKeys: ["b/k"] });
  redis.loseLastWrite();
  redis.loseLastWrite();
  expect(redis.record("s1")).toEqual(record);
  expect(redis.takenKeys()).toEqual([]);
});
