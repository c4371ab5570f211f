/** One stream stopped and is taken up again: exactly that one is read and claimed, whatever else has no owner. */
import { ManualClock, newStream, World } from "@sluice/core/testing";
import { streamId } from "@sluice/core";
import {
  StreamStore,
  WorkerRegistry,
  createClient,
  keysWith,
  parseRedisUrl,
  whenReady,
  type RedisClient,
  type SchemaContext,
} from "@sluice/redis-schema";
import { startRedis, type TestRedis } from "@sluice/redis-schema/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nativeDigests } from "../src/files/native-digests.ts";
import type { Start } from "../src/streams/processor-pool.ts";
import { EndedStreams } from "../src/takeover/ended-streams.ts";
import { PathTable } from "../src/streams/path-table.ts";
import { resumeInterruptedStreams, resumeStream, type RecovererDeps } from "../src/takeover/recoverer.ts";

let server: TestRedis;
let redis: RedisClient;
beforeAll(async () => {
  server = await startRedis();
  const url = parseRedisUrl(server.url);
  if (!url.ok) throw new Error(url.detail);
  redis = createClient(url.target, { name: "resume-one" }, () => undefined);
  await whenReady(redis);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** A worker of this id on the Redis, and what was started there. */
async function worker(workerId: string) {
  const context: SchemaContext = { redis, keys: keysWith(""), clock: new ManualClock() };
  const identity = { workerId, nonce: `${workerId}-nonce` };
  const host = { boot_id: "", pid_namespace: "", host: "h", pid: 1, process_started: "" };
  const described = { version: "0", source: newStream().source, watches: [], state: "ok" as const };
  await new WorkerRegistry(context).renew(workerId, {
    ...host,
    ...described,
    nonce: identity.nonce,
    in_flight_bytes: 0,
    lag_bytes: 0,
    started_at_utc: "2026-01-01T00:00:00.000Z",
    renewed_at_utc: "2026-01-01T00:00:00.000Z",
  });
  const store = new StreamStore(context, identity, () => undefined, []);
  const started: Start[] = [];
  const busy = new Set<string>();
  const { rules } = new World({ digests: nativeDigests });
  const deps: RecovererDeps = {
    supervisor: {
      table: new PathTable(),
      ended: new EndedStreams(),
      pool: {
        isFree: (id) => !busy.has(id),
        hold: (ids) => ({ has: (id) => ids.includes(id), [Symbol.dispose]: () => undefined }),
        start: (start) => void started.push(start),
      },
    },
    context,
    identity,
    store,
    source: newStream().source,
    buckets: [newStream().s3_bucket],
    watches: [{ name: rules.name, root: rules.root, keyPrefix: "", rules }],
    deadNonces: () => [],
    files: { look: () => expect.fail("a watch covers every file") },
    rootIdentity: () => expect.fail("a watch covers every file"),
    fillIn: () => expect.fail("every record is whole"),
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
  };
  const ids = (): string[] => started.map(({ record }) => record.id);
  const reasons = (): string[] => started.map(({ because }) => because);
  return { context, store, deps, ids, reasons };
}

test("a stream that stopped is taken up again alone; a look at all finds the others", async () => {
  const { rules } = new World({ digests: nativeDigests });
  const old = await worker("old");
  for (const id of ["a", "b", "c"]) {
    const record = newStream({ id: streamId(id), path: `${rules.root}/${id}`, owner: "old" });
    expect(await old.store.open({ record, log: [] })).toMatchObject({ kind: "opened" });
  }
  const now = await worker("now");

  await resumeStream("b", now.deps);
  expect(now.ids()).toEqual([]);
  // The owner is alive: the path waits, those of the others were not looked at.
  expect(now.deps.supervisor.table.at(`${rules.root}/b`).waiting?.id).toBe("b");
  expect(now.deps.supervisor.table.at(`${rules.root}/a`).waiting).toBeUndefined();

  await redis.del("worker:old");
  await resumeStream("b", now.deps);
  expect(now.ids()).toEqual(["b"]);
  expect(await redis.hmget("stream:a:meta", "owner", "fence")).toEqual(["old", "1"]);

  await resumeInterruptedStreams(now.deps);
  expect(now.ids().toSorted()).toEqual(["a", "b", "b", "c"]);
  expect(new Set(now.reasons())).toEqual(new Set(["resumed"]));
});
