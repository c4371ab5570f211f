/** Two workers on two hosts, one shared volume: each file goes up once, and a host that is lost is replaced. */
import { Redis } from "ioredis";
import { LIMITS } from "@sluice/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startRedis, type TestRedis } from "../../packages/redis-schema/test/redis-server.ts";
import { PART, startFleet, type Fleet } from "./rig/fleet.ts";
import { startHost, type Host } from "./rig/host.ts";

let redis: TestRedis;
let fleet: Fleet;
let hosts: Host[];

beforeAll(async () => {
  redis = await startRedis({ appendonly: true });
  fleet = await startFleet({ redisUrl: redis.url, prefix: "", reader: new Redis({ port: redis.port }) });
  hosts = [await startHost(1), await startHost(2)];
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  for (const host of hosts ?? []) await host[Symbol.asyncDispose]();
  await redis?.stop();
});

async function startOn(host: Host, id: string) {
  const [redisPort, s3Port] = [await host.forward(redis.port), await host.forward(fleet.s3Port)];
  const env = {
    SLUICE_REDIS_URL: `redis://${host.gateway}:${redisPort}`,
    SLUICE_S3_ENDPOINT: `http://${host.gateway}:${s3Port}`,
  };
  return await fleet.start(id, env, host.through);
}

test("P7: each file goes up once; the files of a lost host are taken over after its lease, never on a guess", async () => {
  const [first, second] = hosts;
  if (!first || !second) throw new Error("two hosts");
  const workers = { east: await startOn(first, "east"), west: await startOn(second, "west") };
  const seen = new Redis({ port: redis.port });
  const [east, west] = [await seen.hgetall("worker:east"), await seen.hgetall("worker:west")];
  expect(east["boot_id"]).toBe(west["boot_id"]);
  expect(east["pid_namespace"]).not.toBe(west["pid_namespace"]);
  seen.disconnect();

  const names = ["a.bin", "b.bin", "c.bin", "d.bin"];
  const files = await Promise.all(names.map((name) => fleet.file(name)));
  for (const file of files) await file.append(PART + 7);
  const streams = await Promise.all(
    names.map((name) => fleet.live(name, ({ next_part }) => next_part === "2")),
  );
  const lost = streams[0]?.["owner"] === "east" ? "east" : "west";
  const left = lost === "east" ? "west" : "east";

  await workers[lost].kill();
  const killedAt = performance.now();
  const taken = await fleet.live("a.bin", ({ owner }) => owner === left);
  // "This host" is boot id and PID namespace: that the process is gone cannot be seen from there.
  expect(performance.now() - killedAt).toBeGreaterThan(LIMITS.leaseTtlMs - LIMITS.leaseRenewEveryMs - 2_000);
  expect(Number(taken["fence"])).toBe(Number(streams[0]?.["fence"]) + 1);
  for (const file of files) {
    await file.append(PART);
    await fleet.finish(file);
  }
  for (const name of names) {
    expect(await fleet.completed(name)).toMatchObject({ status: "completed", sealed_by: left });
    expect(await fleet.isIdentical(name)).toBe(true);
    expect(fleet.partsSent(name), name).toEqual([1, 2, 3]);
  }
  expect(workers[left].running).toBe(true);
});
