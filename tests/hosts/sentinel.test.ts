/** A real Sentinel failover in the worst moment: the replica lacks the last writes, and the owner is frozen through it. */
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../apps/worker/test/rig/until.ts";
import { startDashboard } from "./rig/dashboard.ts";
import { PART, startFleet, type Fleet } from "./rig/fleet.ts";
import { ask } from "./rig/redis-cluster.ts";
import { MASTER, startRedisSentinels, type RedisSentinels } from "./rig/redis-sentinel.ts";

/** More than the sockets between primary and replica hold, so that what comes after it cannot arrive. */
const FILLER_BYTES = 48 * 1024 ** 2;

let redis: RedisSentinels;
let fleet: Fleet;

beforeAll(async () => {
  redis = await startRedisSentinels();
  const sentinels = redis.ports.map((port) => ({ host: "127.0.0.1", port }));
  const reader = new Redis({ sentinels, name: MASTER, maxRetriesPerRequest: 1 });
  reader.on("error", () => undefined);
  fleet = await startFleet({ redisUrl: redis.url, prefix: "", reader });
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

test("P7: a failover while the owner is frozen: the other worker takes over, one object, and the owner writes nothing once it wakes", async () => {
  const { primary, replica } = redis;
  await using dashboard = await startDashboard(redis.url, "");
  const owner = await fleet.start("owner");
  await using file = await fleet.file("a.bin");
  await file.append(PART + 5);
  const { id = "" } = await fleet.live("a.bin", ({ next_part }) => next_part === "2");
  const other = await fleet.start("other");
  expect(await ask(primary.port, (node) => node.wait(1, 5_000))).toBe(1);

  // From here on the replica misses everything.
  replica.freeze();
  await ask(primary.port, (node) => node.set("filler", Buffer.alloc(FILLER_BYTES)));
  await file.append(PART);
  await until(
    "the second part is recorded on the primary alone",
    async () => (await ask(primary.port, (node) => node.hget(`stream:${id}:meta`, "next_part"))) === "3",
  );
  owner.signal("SIGSTOP");
  await primary.kill();
  replica.thaw();
  await until("the replica is the primary", async () =>
    (await ask(replica.port, (node) => node.info("replication"))).includes("role:master"),
  );
  expect(await ask(replica.port, (node) => node.hget(`stream:${id}:meta`, "next_part"))).toBe("2");
  await file.append(PART);
  await fleet.finish(file);

  const done = await fleet.completed("a.bin", { withinMs: 90_000 });
  expect(done).toMatchObject({ id, status: "completed", sealed_by: "other" });
  expect(await fleet.isIdentical("a.bin")).toBe(true);
  // The second part was found in S3, not sent again.
  expect(fleet.partsSent("a.bin")).toEqual([1, 2, 3, 4]);
  await until("the dashboard sees it", () => dashboard.status(id) === "completed");

  const before = fleet.requests.length;
  const wokeAt = Date.now();
  owner.signal("SIGCONT");
  await fleet.until("the owner is at work again", async () => {
    const seen = Number(await ask(replica.port, (node) => node.zscore("workers", "owner")));
    return seen > wokeAt;
  });
  await using after = await fleet.file("b.bin");
  await after.append(10);
  await fleet.finish(after);
  await fleet.completed("b.bin");
  // A part it still had in hand may meet an upload that is over; nothing of it is taken.
  const changes = /^(Put|Upload|Create|Complete|Abort|Delete)/;
  const touching = fleet.requests
    .slice(before)
    .filter(
      ({ key, operation, status }) => key === "a.bin" && changes.test(operation ?? "") && (status ?? 0) < 300,
    );
  expect(touching).toEqual([]);
  expect(
    fleet.requests.filter(({ key, operation }) => key === "a.bin" && operation === "CompleteMultipartUpload"),
  ).toHaveLength(1);
  expect(await ask(replica.port, (node) => node.zcard("streams:failed"))).toBe(0);
  expect(other.running && owner.running).toBe(true);
});
