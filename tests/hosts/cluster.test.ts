/** The whole job on a real Redis Cluster: recorded, killed, resumed, purged, and a node that fails over meanwhile. */
import { Cluster } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sluice } from "../../apps/worker/test/cli-process.ts";
import { until } from "../../apps/worker/test/rig/until.ts";
import { startDashboard } from "./rig/dashboard.ts";
import { PART, startFleet, type Fleet } from "./rig/fleet.ts";
import { ask, startRedisCluster, type RedisCluster } from "./rig/redis-cluster.ts";

const PREFIX = "{sluice}:";

let redis: RedisCluster;
let fleet: Fleet;

beforeAll(async () => {
  redis = await startRedisCluster();
  const nodes = redis.primaries.map(({ port }) => ({ host: "127.0.0.1", port }));
  const reader = new Cluster(nodes, { redisOptions: { connectTimeout: 2_000 } });
  reader.on("error", () => undefined);
  fleet = await startFleet({ redisUrl: redis.url, prefix: PREFIX, reader });
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

test("a prefix without a hash tag is refused, whichever way the cluster is named", async () => {
  const [node] = redis.primaries;
  for (const url of [redis.url, `redis://127.0.0.1:${node?.port}`]) {
    const worker = fleet.launch("untagged", { SLUICE_KEY_PREFIX: "sluice:", SLUICE_REDIS_URL: url });
    expect(await worker.exited).toMatchObject({ code: 78 });
    expect(worker.tail()).toContain("hash tag");
  }
});

test("P2: a worker killed on a cluster goes on where it was; dashboard and files agree; all keys are in one slot", async () => {
  await using dashboard = await startDashboard(redis.url, PREFIX);
  const first = await fleet.start("one");
  await using file = await fleet.file("killed.bin");
  await file.append(2 * PART + 5);
  const { id = "" } = await fleet.live("killed.bin", ({ next_part }) => next_part === "3");
  await until("the dashboard sees it", () => dashboard.status(id) === "processing");
  await first.kill();
  await file.append(PART);
  await fleet.start("one");
  await fleet.finish(file);
  await fleet.completed("killed.bin");
  expect(await fleet.isIdentical("killed.bin")).toBe(true);
  expect(fleet.partsSent("killed.bin")).toEqual([1, 2, 3, 4]);
  await until("the dashboard sees its end", () => dashboard.status(id) === "completed");

  const holder = await redis.primaryOf(PREFIX);
  for (const node of redis.primaries) {
    const keys = await ask(node.port, (one) => one.keys("*"));
    expect(keys.filter((key) => !key.startsWith(PREFIX))).toEqual([]);
    expect(keys.length > 0).toBe(node === holder);
  }
});

test("a stream is aborted and purged by the command line, and no upload is left", async () => {
  await using file = await fleet.file("aborted.bin");
  await file.append(PART + 5);
  const { id = "" } = await fleet.live("aborted.bin", ({ next_part }) => next_part === "2");
  const command = (...args: string[]) => sluice(args, { env: fleet.env(), cwd: fleet.directory });
  const aborted = await command("abort", id, "--yes", "--count", "1");
  expect(aborted, aborted.stderr).toMatchObject({ code: 0 });
  const purged = await command("purge", id, "--yes", "--count", "1");
  expect(purged, purged.stderr).toMatchObject({ code: 0 });
  expect((await command("show", id)).code).not.toBe(0);
  await fleet.until("no upload is left", async () => (await fleet.bucket.openUploads()).length === 0);
});

test("a node that dies is replaced by its replica: the worker goes on, nothing is lost, nothing fails", async () => {
  const primary = await redis.primaryOf(PREFIX);
  const replica = await redis.replicate(primary);
  await using file = await fleet.file("failover.bin");
  await file.append(PART + 5);
  await fleet.live("failover.bin", ({ next_part }) => next_part === "2");
  await primary.kill();
  await file.append(2 * PART);
  await until("the replica is promoted", async () =>
    (await ask(replica.port, (node) => node.info("replication"))).includes("role:master"),
  );
  await fleet.finish(file);
  const stream = await fleet.completed("failover.bin", { withinMs: 90_000 });
  expect(stream["status"]).toBe("completed");
  expect(await fleet.isIdentical("failover.bin")).toBe(true);
  expect(fleet.partsSent("failover.bin")).toEqual([1, 2, 3, 4]);
});
