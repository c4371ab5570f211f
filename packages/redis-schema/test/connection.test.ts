/** What happens to commands when Redis is slow, away, restarted, full, read-only or emptied. */
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { CheckpointError, InvariantError, LIMITS, streamId } from "@sluice/core";
import {
  closeClient,
  createClient,
  judgeServer,
  parseRedisUrl,
  Plans,
  serverFacts,
  StreamReader,
  StreamStore,
  whenReady,
  WorkerRegistry,
} from "@sluice/redis-schema";
import { callRedis } from "@sluice/redis-schema/replies";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  after,
  connect,
  lease,
  NOW_UTC,
  record,
  register,
  startHarness,
  stored,
  W1,
  workerRecord,
  type Harness,
} from "./harness.ts";
import { otherHost } from "./other-host.ts";
import { startRedis } from "./redis-server.ts";

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.stop();
  harness = undefined;
});

const processing = record({ status: "processing", s3_upload_id: "u" });
const write = { from: ["processing" as const], patch: { bytes_sent: 8 } };

async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof CheckpointError) || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

test("a Redis that accepts and never answers is given up after the deadline; the write is made once it wakes", async () => {
  harness = await startHarness();
  const schema = harness.fresh();
  await schema.seed({ ...lease(W1), ...stored(processing) });
  const store = new StreamStore(schema, W1);
  harness.server.freeze();
  const began = performance.now();
  await expect(store.write(processing, write)).rejects.toThrow(CheckpointError);
  const waited = performance.now() - began;
  expect(waited).toBeGreaterThan(LIMITS.redisCommandMs - 500);
  expect(waited).toBeLessThan(LIMITS.redisCommandMs + 2_000);
  harness.server.thaw();
  expect(await eventually(() => store.write(processing, write))).toEqual({ kind: "written" });
  const meta = (await schema.state())["stream:s1:meta"];
  expect(meta).toEqual(stored(after(processing, { bytes_sent: 8 }))["stream:s1:meta"]);
});

test("a killed Redis is a CheckpointError at once, and the next write after its return goes through", async () => {
  harness = await startHarness({ appendonly: true });
  const schema = harness.fresh();
  await schema.seed({ ...lease(W1), ...stored(processing) });
  const store = new StreamStore(schema, W1);
  expect(await store.write(processing, write)).toEqual({ kind: "written" });
  await harness.server.kill();
  const began = performance.now();
  await expect(store.write(processing, write)).rejects.toThrow(CheckpointError);
  expect(performance.now() - began).toBeLessThan(LIMITS.redisCommandMs);
  await harness.server.start();
  // The same command again, to a server that has lost its scripts but kept its data: nothing changes twice.
  expect(await eventually(() => store.write(processing, write))).toEqual({ kind: "written" });
  const meta = await eventually(() =>
    callRedis("read", () => schema.redis.hgetall(schema.keys.streamMeta("s1"))),
  );
  expect(meta["revision"]).toBe("1");
});

test("a server that forgot the scripts gets them again with the same command", async () => {
  harness = await startHarness();
  const schema = harness.fresh();
  await register(schema, W1);
  await harness.raw.script("FLUSH");
  expect(await new WorkerRegistry(schema).renew("w1", workerRecord())).toMatchObject({ kind: "renewed" });
});

test("hundreds of commands that meet a forgotten script at once bring its source once, and all go through", async () => {
  harness = await startHarness();
  const schema = harness.fresh();
  await register(schema, W1);
  await harness.raw.script("FLUSH");
  await harness.raw.config("RESETSTAT");
  const store = new StreamStore(schema, W1);
  const outcomes = await Promise.all(
    Array.from({ length: 300 }, (_, at) =>
      store.open({ record: record({ id: streamId(`s${at}`), original_path: `/rec/${at}` }), log: [] }),
    ),
  );
  expect(outcomes.every(({ kind }) => kind === "opened")).toBe(true);
  const stats = await harness.raw.info("commandstats");
  expect(/cmdstat_eval:calls=(\d+)/.exec(stats)?.[1]).toBe("1");
});

test("R5: a full Redis refuses in plain words and changes nothing", async () => {
  harness = await startHarness({ args: ["--maxmemory", "3mb", "--maxmemory-policy", "noeviction"] });
  const schema = harness.fresh();
  await schema.seed({ ...lease(W1), ...stored(processing) });
  const { raw } = harness;
  await expect(
    (async () => {
      for (let at = 0; ; at += 1) await raw.set(`filler:${at}`, "x".repeat(10_000));
    })(),
  ).rejects.toThrow("OOM");
  const state = await schema.state();
  await expect(new StreamStore(schema, W1).write(processing, write)).rejects.toThrow(
    "Redis is out of memory",
  );
  expect(await schema.state()).toEqual(state);
});

test("R6: a primary that became a replica refuses writes as read-only, and is connected to anew", async () => {
  harness = await startHarness();
  const schema = harness.fresh();
  await schema.seed({ ...lease(W1), ...stored(processing) });
  const { raw, redis } = harness;
  await raw.replicaof("127.0.0.1", 1);
  const reconnected = new Promise((resolve) => redis.once("ready", resolve));
  const store = new StreamStore(schema, W1);
  await expect(store.write(processing, write)).rejects.toThrow("read-only replica");
  await reconnected;
  await raw.replicaof("NO", "ONE");
  expect(await eventually(() => store.write(processing, write))).toEqual({ kind: "written" });
});

test("a Redis in protected mode is called that, with what to do, and is reached once it is not", async () => {
  await using redis = await startRedis({ args: ["--protected-mode", "yes"] });
  await using host = await otherHost(redis);
  const parsed = parseRedisUrl(host.url);
  if (!parsed.ok) throw new Error(parsed.detail);
  const said = new Set<string>();
  const client = createClient(parsed.target, { name: "other" }, ({ message }) => said.add(message));
  const ready = whenReady(client);
  await vi.waitFor(() => expect(said.size).toBeGreaterThan(0), { timeout: 10_000 });
  // Each attempt is two connections: the client's own, and the one that listens for the reason.
  await vi.waitFor(() => expect(host.connections).toBeGreaterThan(5), { timeout: 20_000 });
  expect([...said].join("\n")).toMatch(/^Redis runs in protected mode: .*requirepass.*protected-mode no$/);
  const own = await connect(redis.url);
  await own.config("SET", "protected-mode", "no");
  await closeClient(own);
  await ready;
  expect(await client.ping()).toBe("PONG");
  await closeClient(client);
});

test("the reason is told too where the connection is cut before the client has written", async () => {
  const refusal =
    "-DENIED Valkey is running in protected mode because protected mode is enabled and no password is set\r\n";
  await using server = createServer((socket) => {
    socket.on("error", () => socket.destroy()).write(refusal);
    // Closes once that is written, whatever the client sent.
    socket.destroySoon();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const said: string[] = [];
  const target = { kind: "single", host: "127.0.0.1", port, db: 0, tls: false } as const;
  const client = createClient(target, { name: "cut" }, ({ message }) => said.push(message));
  const gaveUp = new AbortController();
  const ready = whenReady(client, gaveUp.signal);
  await vi.waitFor(() => expect(said.length).toBeGreaterThan(2), { timeout: 20_000 });
  gaveUp.abort(new Error("it never is"));
  await expect(ready).rejects.toThrow("it never is");
  client.disconnect();
  expect(new Set(said).size).toBe(1);
  expect(said[0]).toContain("Redis runs in protected mode");
});

test("a client waits for a Redis that comes up later, and gives up only when told to", async () => {
  harness = await startHarness();
  const { server } = harness;
  await server.kill();
  const parsed = parseRedisUrl(server.url);
  if (!parsed.ok) throw new Error(parsed.detail);
  const errors: Error[] = [];
  const client = createClient(parsed.target, { name: "late" }, (error) => errors.push(error));
  const stop = new AbortController();
  const told = whenReady(client, stop.signal);
  stop.abort(new Error("told to stop"));
  await expect(told).rejects.toThrow("told to stop");
  const ready = whenReady(client);
  await vi.waitFor(() => expect(errors.length).toBeGreaterThan(0), { timeout: 10_000 });
  await server.start();
  await ready;
  expect(await client.ping()).toBe("PONG");
  await closeClient(client);
  await closeClient(client);
});

test("a bug in a script is a bug of ours, not trouble of Redis", async () => {
  harness = await startHarness();
  const { redis } = harness;
  const bug = callRedis("bug", () => redis.eval("return nothing.there", 0));
  await expect(bug).rejects.toThrow(InvariantError);
});

test("R19, X20: a user with the least rights can do all of it, and nothing outside its prefix", async () => {
  harness = await startHarness();
  const { raw, server } = harness;
  const rights = [
    "~t*",
    "+@read",
    "+@write",
    "+@scripting",
    "+@transaction",
    "+@connection",
    "+info",
    "-@dangerous",
    "+info",
  ];
  await raw.call("ACL", "SETUSER", "sluice", "on", ">s3cret", ...rights);
  const redis = await connect(`redis://sluice:s3cret@${server.host}:${server.port}`);
  const schema = { ...harness.fresh(), redis };
  await register(schema, W1);
  const store = new StreamStore(schema, W1);
  expect(await store.open({ record: record(), log: ["found"] })).toEqual({ kind: "opened" });
  expect(await store.write(record(), { from: ["opening"], patch: { bytes_sent: 1 } })).toEqual({
    kind: "written",
  });
  const plan = { action: "purge", ids: [], counts: {}, bytes: 0, who: "a", made_at_utc: NOW_UTC };
  await new Plans(schema).save({
    ...plan,
    token: "t",
    expires_at_utc: new Date(Date.now() + 60_000).toISOString(),
  });
  expect((await serverFacts(redis)).product).toBe("redis");
  await expect(callRedis("read", () => redis.get("other"))).rejects.toThrow(
    "Redis refuses these credentials",
  );
  await closeClient(redis);
});

test("R6: a wrong password is said in plain words, and waited out", async () => {
  harness = await startHarness();
  const { server } = harness;
  await harness.raw.config("SET", "requirepass", "right");
  const parsed = parseRedisUrl(`redis://:wrong@${server.host}:${server.port}`);
  if (!parsed.ok) throw new Error(parsed.detail);
  const refused = Promise.withResolvers<Error>();
  const client = createClient(parsed.target, { name: "test" }, refused.resolve);
  const stop = new AbortController();
  const ready = whenReady(client, stop.signal).catch((error: unknown) => error);
  expect((await refused.promise).message).toContain("WRONGPASS");
  stop.abort(new Error("enough"));
  expect(await ready).toMatchObject({ message: "enough" });
  client.disconnect();
});

test("the primary is found through a sentinel", async () => {
  harness = await startHarness();
  const { port } = harness.server;
  await using sentinel = await startRedis({ sentinelOf: port });
  const client = await connect(`redis+sentinel://${sentinel.host}:${sentinel.port}/mymaster/2`);
  await client.set("through", "sentinel");
  await harness.raw.select(2);
  expect(await harness.raw.get("through")).toBe("sentinel");
  await closeClient(client);
});

describe("what a server says of itself", () => {
  test("an evicting, non-durable one is refused and warned about", async () => {
    await using server = await startRedis({
      args: ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"],
    });
    const redis = await connect(server.url);
    const facts = await serverFacts(redis);
    expect(facts).toMatchObject({
      evictionPolicy: "allkeys-lru",
      maxMemoryBytes: 104_857_600,
      appendOnly: false,
      isCluster: false,
    });
    expect(judgeServer(facts).map(({ code, weight }) => [code, weight])).toEqual([
      ["evicts", "refuse"],
      ["not_durable", "warn"],
    ]);
    await closeClient(redis);
  });

  test("a durable primary that never evicts raises no concern", async () => {
    await using server = await startRedis({ appendonly: true });
    const redis = await connect(server.url);
    expect(judgeServer(await serverFacts(redis))).toEqual([]);
    await closeClient(redis);
  });
});

test("an emptied Redis answers every read with nothing, and every write as older", async () => {
  harness = await startHarness();
  const schema = harness.fresh();
  await register(schema, W1);
  const store = new StreamStore(schema, W1);
  await store.open({ record: record(), log: [] });
  // This server is the test's own.
  await harness.raw.flushall();
  expect(await store.write(record(), { from: ["opening"], patch: {} })).toEqual({
    kind: "older",
    gone: true,
    detail: "its record is gone",
  });
  expect(await new StreamReader(schema).counts()).toEqual({
    active: 0,
    pending_completion: 0,
    failed: 0,
    completed: 0,
  });
});
