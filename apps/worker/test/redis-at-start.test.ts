/** Redis in trouble when the worker starts: whatever may heal is waited for, and the process says what it waits for. */
import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { otherHost } from "../../../packages/redis-schema/test/other-host.ts";
import { startRedis } from "../../../packages/redis-schema/test/redis-server.ts";
import { audit } from "./audit.ts";
import { sluice } from "./cli-process.ts";
import { readiness, statusOf } from "./rig/health.ts";
import { PART, startRig, writeWhole, type Rig } from "./rig.ts";

interface Trouble {
  of: string;
  /** Brings Redis into trouble; returns what ends it. */
  begin(rig: Rig): Promise<() => Promise<unknown>>;
  says: RegExp;
}

/** The rig's own connection: a Redis in trouble still answers these. */
const call = async (rig: Rig, ...words: [string, ...string[]]) => await rig.records.redis.call(...words);

const TROUBLES: Trouble[] = [
  {
    of: "that is full (R5)",
    begin: async (rig) => {
      await call(rig, "CONFIG", "SET", "maxmemory", "1");
      return async () => await call(rig, "CONFIG", "SET", "maxmemory", "0");
    },
    says: /out of memory/,
  },
  {
    of: "that cannot save to its disk (MISCONF)",
    begin: async (rig) => {
      const { redis } = rig.records;
      await call(rig, "CONFIG", "SET", "stop-writes-on-bgsave-error", "yes");
      await call(rig, "CONFIG", "SET", "save", "3600 1000000");
      // Without its directory the save fails.
      rmSync(rig.redis.directory, { recursive: true });
      await redis.bgsave();
      await rig.until("the save has failed", async () =>
        (await redis.info("persistence")).includes("rdb_last_bgsave_status:err"),
      );
      return async () => await call(rig, "CONFIG", "SET", "stop-writes-on-bgsave-error", "no");
    },
    says: /cannot save to its disk/,
  },
  {
    of: "that hangs",
    begin: async (rig) => {
      rig.redis.freeze();
      return async () => rig.redis.thaw();
    },
    says: /does not answer|in time/,
  },
  {
    of: "that is busy with a script",
    begin: async (rig) => {
      await call(rig, "CONFIG", "SET", "busy-reply-threshold", "1");
      const other = new Redis({ port: rig.redis.port });
      other.on("error", () => undefined);
      other.call("EVAL", "while true do end", "0").catch(() => undefined);
      return async () => {
        await call(rig, "SCRIPT", "KILL");
        other.disconnect();
        // The kill is answered before the script has ended.
        await rig.until("Redis answers", async () => await call(rig, "PING").catch(() => false));
      };
    },
    says: /busy/i,
  },
  {
    of: "that is a read-only replica",
    begin: async (rig) => {
      const primary = await startRedis();
      await call(rig, "REPLICAOF", primary.host, String(primary.port));
      await rig.until("it follows", async () =>
        (await rig.records.redis.info("replication")).includes("master_link_status:up"),
      );
      return async () => {
        await call(rig, "REPLICAOF", "NO", "ONE");
        await primary.stop();
      };
    },
    says: /read-only replica/,
  },
  {
    of: "that refuses the password at first (NOAUTH)",
    begin: async (rig) => {
      await call(rig, "CONFIG", "SET", "requirepass", "secret");
      return async () => await call(rig, "CONFIG", "SET", "requirepass", "");
    },
    says: /refuses these credentials/,
  },
  {
    of: "where something else wrote an index",
    begin: async (rig) => {
      await rig.records.redis.set("streams:failed", "junk");
      return async () => await rig.records.redis.del("streams:failed");
    },
    says: /the key streams:failed holds a string instead of a sorted set/,
  },
];

describe("a start with a Redis", { concurrent: true, timeout: 180_000 }, () => {
  it.each(TROUBLES)("D8d, R6: $of waits, says so, and goes on when that is over", async ({ begin, says }) => {
    await using rig = await startRig();
    await rig.records.redis.ping();
    const over = await begin(rig);
    const path = writeWhole(rig, "a.mov", randomBytes(1_000));
    const worker = rig.launch();
    const words = await rig.until("it says what it waits for", async () => {
      const text = await readiness(worker);
      return says.test(text) && text;
    });
    expect(words).toMatch(/^blocked: Redis: /);
    expect(await statusOf(worker, "/readyz")).toBe(503);
    expect(await statusOf(worker, "/livez")).toBe(200);
    expect(worker.running).toBe(true);
    await over();
    await rig.completed(path);
    await rig.until("it is well", async () => (await readiness(worker)) === "running\n");
    await audit(rig, [{ path, key: "a.mov" }]);
  });

  it("that is in protected mode: waits, says so once, and goes on when that is over", async () => {
    await using rig = await startRig();
    await using host = await otherHost(rig.redis);
    await call(rig, "CONFIG", "SET", "protected-mode", "yes");
    const path = writeWhole(rig, "a.mov", randomBytes(1_000));
    const worker = rig.launch({ SLUICE_REDIS_URL: host.url });
    await rig.until("it says what it waits for", async () =>
      /^blocked: Redis: Redis runs in protected mode: .*requirepass/.test(await readiness(worker)),
    );
    // Two connections of the worker, and for each attempt one that listens for the reason.
    await rig.until("it has tried again and again", () => host.connections > 20);
    const told = worker.lines.filter((line) => /protected mode|EPIPE|ECONNRESET/.test(JSON.stringify(line)));
    expect(told.map(({ msg }) => msg)).toEqual(["Redis is unavailable: the start waits for it"]);
    await call(rig, "CONFIG", "SET", "protected-mode", "no");
    await rig.completed(path);
    await audit(rig, [{ path, key: "a.mov" }]);
  });

  it("D8d: that is away ends politely when it is told to, and one that evicts is refused", async () => {
    await using rig = await startRig();
    await rig.redis.kill();
    const worker = rig.launch();
    await rig.until("it waits", async () => (await readiness(worker)).startsWith("blocked: Redis: "));
    expect((await worker.terminate()).code).toBe(0);
    await rig.redis.start();
    await rig.until("Redis answers", async () => await rig.records.redis.ping().catch(() => false));
    await call(rig, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
    const refused = rig.launch();
    expect((await refused.exited).code).toBe(78);
    expect(refused.other.join("\n")).toContain("maxmemory-policy");
  });

  it("D8d: SLUICE_START_BLOCKED waits for a missing bucket and a missing watch under its lease, and begins when they are there", async () => {
    await using rig = await startRig();
    const env = { SLUICE_S3_BUCKET: "later", SLUICE_WATCH: join(rig.directory, "later") };
    const refused = rig.launch(env);
    expect((await refused.exited).code).toBe(78);
    const worker = rig.launch({ ...env, SLUICE_START_BLOCKED: "true" });
    await rig.until("it says what it waits for", async () =>
      /^blocked: store: .*bucket later/.test(await readiness(worker)),
    );
    const lease = async () => await rig.records.redis.hgetall("worker:rig-worker");
    const waiting = await rig.until("its lease says the same", async () => {
      const seen = await lease();
      return seen["state"] === "blocked" && seen;
    });
    expect(waiting).toMatchObject({
      source: "rig",
      state_detail: expect.stringMatching(/^store: .*bucket later.*its lag is unknown/),
      state_since_utc: expect.stringMatching(/Z$/),
    });
    const doctor = await sluice(["doctor"], { env: rig.env(env), cwd: rig.directory });
    expect(doctor.stdout).toMatch(/Worker rig-worker .* is blocked since .*bucket later/);
    // A second process under the id is refused as at any other time.
    const second = rig.launch({ ...env, SLUICE_START_BLOCKED: "true" });
    expect((await second.exited).code).toBe(78);
    await rig.otherBucket("later").create();
    await worker.ready();
    const working = await rig.until("it says that it works", async () => {
      const seen = await lease();
      return seen["state"] === "ok" && seen;
    });
    expect([waiting["lag_bytes"], working["lag_bytes"]]).toEqual([undefined, "0"]);
    expect(working["nonce"]).not.toBe(waiting["nonce"]);
    await rig.until("the watch is offline", async () => /watch .*later/.test(await readiness(worker)));
  });

  it("P7: a start that waits for its store keeps no other worker from the streams of its predecessor", async () => {
    await using rig = await startRig();
    const first = await rig.start();
    const path = writeWhole(rig, "a.mov.part", randomBytes(PART + 10));
    const stream = await rig.live(path, ({ next_part: next }) => next === "2");
    await first.kill();
    const waiting = rig.launch({ SLUICE_S3_BUCKET: "later", SLUICE_START_BLOCKED: "true" });
    await rig.until("it waits under its lease", async () => {
      const { state, nonce } = await rig.records.redis.hgetall("worker:rig-worker");
      return state === "blocked" && nonce;
    });
    const other = await rig.start({ SLUICE_WORKER_ID: "other" });
    await rig.live(path, ({ owner }) => owner === "other");
    writeFileSync(join(rig.root, "a.mov.done"), "");
    expect((await rig.completed(path)).id).toBe(stream.id);
    expect(waiting.running).toBe(true);
    await other.terminate();
    await waiting.terminate();
    await audit(rig, [{ path, key: "a.mov" }]);
  });
});
