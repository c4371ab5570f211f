/**
 * Redis does not roll a script back. So a key of another type, or a command that the user may not run, must refuse a
 * script before its first write: nothing at all is written then, and the error names the key.
 */
import type { Part } from "@sluice/core";
import {
  convertIndexes,
  Deliveries,
  failBroken,
  Plans,
  pruneHistory,
  purgeStreams,
  repairIndexes,
  RequestQueue,
  restoreNames,
  SCRIPTS,
  StreamStore,
  Outbox,
  WorkerRegistry,
  type RedisClient,
  type SchemaContext,
} from "@sluice/redis-schema";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  lease,
  line,
  meta,
  NOW,
  NOW_UTC,
  plainSet,
  POSITION,
  record,
  startHarness,
  stored,
  stream,
  text,
  W1,
  workerRecord,
  zset,
  type Harness,
  type Schema,
  type State,
} from "./harness.ts";

let harness: Harness;
let limited: Redis;
beforeAll(async () => {
  harness = await startHarness();
  await harness.raw.call("ACL", "SETUSER", "limited", "on", ">pass", "~*", "+@all");
  const { host, port } = harness.server;
  limited = new Redis({ host, port, username: "limited", password: "pass" });
});
afterAll(async () => {
  limited?.disconnect();
  await harness?.stop();
});

/** The one command a case sends, with its keys and arguments. */
interface Sent {
  keys: string[];
  args: (string | Buffer)[];
}

interface Case {
  script: keyof typeof SCRIPTS;
  seed: State;
  send(context: SchemaContext): Promise<unknown>;
  /** Keys whose type the script itself answers for, by the end of their name: they refuse nothing. */
  answersFor?: readonly string[];
}

const live = record({ status: "processing", s3_key: "a.mkv", s3_upload_id: "up1", revision: 4 });
const free = record({ id: "s2" as typeof live.id, original_path: "/rec/b.mkv", status: "processing" });
const broken = { status: "failed_corrupt_record", original_path: "/rec/c.mkv", source: "src" };
const part: Part = { PartNumber: 1, ETag: "e", Size: 5, Offset: 0 };
const request = {
  id: "r1",
  action: "retry" as const,
  items: ["s1"],
  who: "ann",
  from: "cli",
  reason: "",
  filed_at_utc: NOW_UTC,
};
const everyKey: State = {
  "streams:pending_completion": zset({ other: 1 }),
  "streams:failed": zset({ gone: 1 }),
  "streams:completed": zset({ old: 1 }),
  "streams:by_key": { "bkt/other": "other" },
  "files:done": { "src:/rec/z": "{}" },
  events: stream({ type: "log" }),
  "stats:202611241020": { parts: "1" },
  webhooks: stream({ id: "m" }),
};
const held: State = { ...lease(W1), ...stored(live), ...everyKey, "stream:s1:log": [line("found")] };

const CASES: Case[] = [
  {
    script: "writeStream",
    seed: { ...held, "stream:s1:parts": { "1": "{}" } },
    send: (schema) =>
      new StreamStore(schema, W1, undefined, ["failed"]).write(live, {
        from: ["processing"],
        patch: { status: "failed_access_denied", failure_reason: "access_denied" },
        parts: [part],
        takeKeys: ["bkt/a.mkv"],
        releasePath: true,
        log: ["failed"],
        stats: { failures: 1 },
        event: { type: "state", detail: "failed" },
      }),
  },
  {
    script: "openStream",
    seed: { ...held, "stream:s2:log": [line("a stray one")] },
    send: (schema) =>
      new StreamStore(schema, W1).open({
        record: record({ id: "s2" as typeof live.id, supersedes: "s1" }),
        log: ["found"],
        replacing: {
          record: live,
          write: { from: ["processing"], patch: { status: "failed_file_replaced" }, releasePath: true },
        },
      }),
  },
  {
    script: "claimStream",
    seed: { ...held, "worker:w9": { nonce: "gone" }, "stream:s2:meta": { ...meta(free), owner: "w9" } },
    send: async (schema) => {
      const store = new StreamStore(schema, W1);
      store.markDead("gone");
      await store.claimAny([free.id], new Map([[free.id, "w9"]]));
    },
  },
  { script: "releaseStream", seed: held, send: (schema) => new StreamStore(schema, W1).release(live) },
  {
    script: "renewLease",
    seed: { ...lease(W1), workers: zset({ w1: 1 }), ...everyKey },
    send: (schema) => new WorkerRegistry(schema).renew("w1", workerRecord()),
    // Said in the lease itself, which is renewed all the same.
    answersFor: [
      "workers",
      "stats:202611241020",
      "streams:",
      "files:",
      "events",
      "webhooks",
      ":to_abort",
    ].concat(["orphans", "requests", ":meta", ":parts", ":log"]),
  },
  {
    script: "endLease",
    seed: { ...lease(W1), workers: zset({ w1: 1 }) },
    send: (schema) => new WorkerRegistry(schema).unregister("w1", W1.nonce),
  },
  {
    script: "purgeStream",
    seed: {
      ...everyKey,
      orphans: { u0: "{}" },
      "stream:c:meta": { ...broken, s3_upload_id: "u", s3_bucket: "bkt", s3_key: "c" },
      "streams:failed": zset({ c: 1 }),
      "streams:by_path": { "src:/rec/c.mkv": "c" },
    },
    send: (schema) => purgeStreams(schema, ["c"], { who: "ann", upload: "abort", ignoreFile: true }),
    answersFor: [":meta", ":parts", ":log"],
  },
  {
    script: "pruneHistory",
    seed: { ...everyKey, "stream:old:meta": { status: "completed" } },
    send: (schema) => pruneHistory(schema, NOW, 10),
    answersFor: [":meta", ":parts", ":log"],
  },
  {
    script: "repairIndex",
    seed: { ...held, "stream:s2:meta": meta(free) },
    send: (schema) => repairIndexes(schema, ["s2"]),
    answersFor: [":meta"],
  },
  {
    script: "restoreNames",
    seed: { "stream:s1:meta": meta(live), "streams:by_key": { x: "y" }, "streams:by_path": { x: "y" } },
    send: (schema) => restoreNames(schema, { raw: meta(live) }, live),
  },
  {
    script: "noteSource",
    seed: { ...lease(W1), ...everyKey, "stream:c:meta": broken },
    send: (schema) => new StreamStore(schema, W1).noteSource("c", broken.status, "missing"),
  },
  {
    script: "failBroken",
    seed: {
      ...held,
      "stream:c:meta": { original_path: "/rec/c.mkv", owner: "w9" },
      "worker:w9": { host: "h" },
    },
    send: (schema) =>
      failBroken(schema, W1, {
        id: "c",
        raw: { original_path: "/rec/c.mkv", owner: "w9" },
        reason: "incomplete_metadata",
        detail: "missing: s3_bucket",
        webhookEvents: ["failed"],
      }),
    answersFor: ["stream:c:meta", "stream:c:log"],
  },
  {
    script: "reportStalled",
    seed: held,
    send: (schema) => new Outbox(schema, W1).reportStalled(live),
  },
  {
    script: "reportWorker",
    seed: { "webhooks:noted": { other: "1" } },
    send: (schema) =>
      new Outbox(schema, W1).reportWorker({
        field: "lost:w2",
        value: "1",
        subject: "worker:w2",
        event: "worker.lost",
        data: { worker: "w2" },
      }),
  },
  { script: "takeTurn", seed: {}, send: (schema) => new Outbox(schema, W1).takeTurn() },
  {
    script: "endTurn",
    seed: { "webhooks:turn": text(W1.nonce) },
    send: (schema) => new Outbox(schema, W1).endTurn(),
  },
  {
    script: "retryMessage",
    seed: {
      "webhooks:dropped": stream({
        [POSITION]: "5-1",
        id: "m",
        event: "failed",
        subject: "s1",
        body: "{}",
        dropped_at: "1",
      }),
    },
    send: (schema) => new Deliveries(schema).retry("5-1"),
  },
  {
    script: "convertIndex",
    seed: { "streams:active": plainSet("a", "b") },
    send: (schema) => convertIndexes(schema),
    answersFor: ["streams:active"],
  },
  {
    script: "fileRequest",
    seed: { ...everyKey, requests: stream({ id: "r0" }) },
    send: (schema) => new RequestQueue(schema).file(request),
  },
  {
    script: "holdItem",
    seed: { ...everyKey, "request:r1": { id: "r1" } },
    send: (schema) => new RequestQueue(schema).hold("r1", "s1", "w1", 1_000),
  },
  {
    script: "writeBack",
    seed: { ...held, "stream:s1:meta": { ...meta(live), revision: "1" } },
    send: (schema) => new StreamStore(schema, W1).writeBack(live, new Map([[1, part]])),
  },
  {
    script: "settleRequest",
    seed: { ...everyKey, "request:r1": { id: "r1" } },
    send: (schema) =>
      new RequestQueue(schema).settle(request, "s1", { result: "done", worker: "w1", at_utc: NOW_UTC }),
  },
  {
    script: "consumePlan",
    seed: { "plan:t": { token: "t" } },
    send: (schema) => new Plans(schema).consume("t", "e"),
  },
  {
    script: "moveDone",
    seed: { "files:done": { "src:/rec/z": "{}" } },
    send: ({ redis, keys }) =>
      redis.evalshaBuffer(
        SCRIPTS.moveDone.sha,
        2,
        keys.filesDone,
        keys.byKey,
        "src:/rec/z",
        "src:/rec/y",
        "{}",
        "",
        "bucket/z",
        "s1",
      ),
  },
  {
    script: "renewDone",
    seed: { "files:done": { "src:/rec/z": "{}" } },
    send: ({ redis, keys }) =>
      redis.evalshaBuffer(SCRIPTS.renewDone.sha, 1, keys.filesDone, "src:/rec/z", "{}", "{ }"),
  },
  {
    script: "countLogin",
    seed: {},
    send: ({ redis, keys }) =>
      redis.evalshaBuffer(
        SCRIPTS.countLogin.sha,
        2,
        keys.login("10.0.0.1/32"),
        keys.login("all"),
        "60000",
        "5",
        "100",
      ),
  },
  {
    script: "forgiveLogin",
    seed: { "login:10.0.0.1/32": text("2"), "login:all": text("2") },
    send: ({ redis, keys }) =>
      redis.evalshaBuffer(SCRIPTS.forgiveLogin.sha, 2, keys.login("10.0.0.1/32"), keys.login("all")),
  },
];

/** What the script is sent in this case, on a prefix of its own. */
async function sentBy({ script, send }: Case, schema: Schema): Promise<Sent> {
  const sent: Sent[] = [];
  const capture: Pick<RedisClient, "evalshaBuffer"> = {
    evalshaBuffer: (sha, count, ...rest) => {
      if (sha !== SCRIPTS[script].sha) return schema.redis.evalshaBuffer(sha, count, ...rest);
      const all = rest.map((one) => (Buffer.isBuffer(one) ? one : String(one)));
      sent.push({ keys: all.slice(0, count).map(String), args: all.slice(count) });
      throw new Error("captured");
    },
  };
  const redis = new Proxy(schema.redis, {
    get(target, name) {
      if (name === "evalshaBuffer") return capture.evalshaBuffer;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  await Promise.allSettled([(async () => await send({ ...schema, redis }))()]);
  const first = sent[0];
  if (!first) throw new Error(`${script} was not sent`);
  return first;
}

async function seededAnew(schema: Schema, state: State): Promise<void> {
  const keys = await harness.raw.keys(`${schema.keys.prefix}*`);
  if (keys.length > 0) await harness.raw.del(...keys);
  await schema.seed(state);
}

function run(redis: Redis, { script }: Case, { keys, args }: Sent): Promise<unknown> {
  return redis.call("EVAL", SCRIPTS[script].source, keys.length, ...keys, ...args);
}

/** Of the two types that are put in its place. */
function typeOf(key: string): string | undefined {
  if (key.endsWith(":log")) return "list";
  return key.endsWith(":turn") || key.includes("login:") ? "string" : undefined;
}

/** Of the commands that write, those the script's text names. */
function writesOf({ script }: Case): string[] {
  const named = [...SCRIPTS[script].source.matchAll(/redis\.p?call\('([A-Z]+)'/g)].map(
    (match) => match[1] ?? "",
  );
  return [...new Set(named)].filter((command) => WRITES.includes(command));
}
const WRITES =
  "HSET HDEL HINCRBY HSETNX DEL ZADD ZREM ZREMRANGEBYSCORE LPUSH LTRIM XADD PEXPIRE SET INCR DECR".split(" ");

/** Without the times that Redis itself writes: the two runs are made one after the other. */
function timeless(state: State): unknown {
  return JSON.parse(JSON.stringify(state).replaceAll(/\b\d{13}(?:-\d+)?\b/g, "0"));
}

test("every script that writes has its case here", () => {
  // It writes nothing.
  const writing = Object.keys(SCRIPTS).filter((name) => name !== "readClock");
  expect(CASES.map(({ script }) => script).toSorted()).toEqual(writing.toSorted());
});

describe.each(CASES)("$script", (of) => {
  test("D4a: does its work on the keys of the case", async () => {
    const schema = harness.fresh();
    await schema.seed(of.seed);
    const sent = await sentBy(of, schema);
    const before = await schema.state();
    await run(harness.raw, of, sent);
    expect(await schema.state()).not.toEqual(before);
  });

  test("D4a: writes nothing at all where one of its keys holds another type, and names that key", async () => {
    const schema = harness.fresh();
    await schema.seed(of.seed);
    const sent = await sentBy(of, schema);
    const refusing = sent.keys.filter(
      (key) => !of.answersFor?.some((name) => key.slice(schema.keys.prefix.length).includes(name)),
    );
    for (const key of refusing) {
      for (const wrong of ["string", "list"] as const) {
        await seededAnew(schema, of.seed);
        if (wrong === typeOf(key)) continue;
        await harness.raw.del(key);
        await (wrong === "string" ? harness.raw.set(key, "junk") : harness.raw.rpush(key, "junk"));
        const before = await schema.state();
        await expect(run(harness.raw, of, sent), `${key} as a ${wrong}`).rejects.toThrow(
          `WRONGTYPE ${wrong} `,
        );
        await expect(run(harness.raw, of, sent)).rejects.toThrow(key);
        expect(await schema.state(), `${key} as a ${wrong}`).toEqual(before);
      }
    }
  });

  test.each(writesOf(of))(
    "D4a: is done whole or not at all for a user who may not run %s",
    async (command) => {
      const schema = harness.fresh();
      await schema.seed(of.seed);
      const sent = await sentBy(of, schema);
      await seededAnew(schema, of.seed);
      const before = await schema.state();
      await run(harness.raw, of, sent);
      const after = await schema.state();
      await seededAnew(schema, of.seed);
      await harness.raw.call("ACL", "SETUSER", "limited", "+@all", `-${command.toLowerCase()}`);
      const outcome = await run(limited, of, sent).then(
        () => "done",
        (error: unknown) => String(error),
      );
      await harness.raw.call("ACL", "SETUSER", "limited", "+@all");
      const state = await schema.state();
      if (outcome === "done" && of.script !== "renewLease") expect(timeless(state)).toEqual(timeless(after));
      else if (outcome !== "done") {
        expect(outcome).toMatch(/NOPERM/);
        expect(state).toEqual(before);
      }
    },
  );
});

test.each([
  ["events", "stream"],
  ["streams:active", "sorted set"],
  ["streams:by_path", "hash"],
  ["files:done", "hash"],
  ["webhooks", "stream"],
  ["workers", "sorted set"],
  ["stats:202611241020", "hash"],
])("D4b: the lease is renewed, and says that %s is no %s", async (name, belongs) => {
  const schema = harness.fresh();
  const registry = new WorkerRegistry(schema);
  await registry.renew("w1", workerRecord());
  await harness.raw.del(schema.keys.prefix + name);
  await schema.seed({ [name]: text("junk") });
  const outcome = await registry.renew("w1", workerRecord());
  expect(outcome).toMatchObject({ kind: "renewed" });
  const { refusal = "" } = outcome as { refusal?: string };
  expect(refusal).toContain(`the key ${schema.keys.prefix}${name} holds a string instead of a ${belongs}`);
  await harness.raw.del(schema.keys.prefix + name);
  const mended = await registry.renew("w1", workerRecord());
  expect(mended).toMatchObject({ kind: "renewed" });
  expect(mended).not.toHaveProperty("refusal");
});
