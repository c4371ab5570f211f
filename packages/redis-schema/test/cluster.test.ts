/** On a cluster one hash tag puts every key in one slot: every script runs, none is refused as CROSSSLOT. */
import { failed, streamId } from "@sluice/core";
import {
  assertClusterPrefix,
  convertIndexes,
  Deliveries,
  EventFeed,
  failBroken,
  FilesDone,
  KeyPrefixError,
  Outbox,
  Plans,
  pruneHistory,
  purgeStreams,
  repairIndexes,
  RequestQueue,
  SCRIPTS,
  serverFacts,
  Sessions,
  StreamReader,
  StreamStore,
  WorkerRegistry,
} from "@sluice/redis-schema";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lease, NOW_UTC, record, register, startHarness, stored, W1, zset, type Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ cluster: true, prefix: "{sluice}:" });
});
afterAll(() => harness.stop());

test("the server says that it is a cluster, and a prefix without a hash tag is refused", async () => {
  const facts = await serverFacts(harness.redis);
  expect(facts.isCluster).toBe(true);
  expect(() => assertClusterPrefix("sluice:", facts.isCluster)).toThrow(KeyPrefixError);
  expect(() => assertClusterPrefix("{sluice}:", facts.isCluster)).not.toThrow();
});

test("R14: every script runs through a cluster client", async () => {
  const schema = harness.fresh();
  await harness.raw.config("RESETSTAT");
  await register(schema, W1);
  const store = new StreamStore(schema, W1);
  const first = record();
  expect(await store.open({ record: first, log: ["found"] })).toEqual({ kind: "opened" });
  const write = {
    from: ["opening" as const],
    patch: { status: failed("file_missing") },
    stats: { failures: 1 },
  };
  expect(await store.write(first, write)).toEqual({ kind: "written" });
  expect(await store.claim([first.id])).toMatchObject([{ kind: "claimed" }]);
  await store.release({ id: first.id, fence: 2 });
  expect(await purgeStreams(schema, ["s1"], { who: "a", upload: "abort", ignoreFile: true })).toMatchObject([
    { kind: "purged" },
  ]);
  await schema.seed({
    ...stored(record({ id: streamId("c"), status: "completed" }), { index: "completed", score: 1 }),
  });
  expect(await repairIndexes(schema, ["c"])).toMatchObject([{ kind: "right" }]);
  expect(await pruneHistory(schema, 2, 10)).toBe(1);
  await schema.seed({ "streams:active": zset({ ghost: 1 }) });
  const broken = { id: "ghost", raw: {}, reason: "incomplete_metadata", detail: "x" } as const;
  expect(await failBroken(schema, W1, broken)).toEqual({ kind: "marked" });
  expect(await store.noteSource("ghost", "failed_incomplete_metadata", "missing")).toBe(true);
  expect(await convertIndexes(schema)).toHaveLength(4);

  const outbox = new Outbox(schema, W1);
  expect(await outbox.reportStalled(record({ id: streamId("nobody") }))).toBe(false);
  const lost = {
    field: "lost:w2",
    value: "1",
    subject: "worker w2",
    event: "worker.lost",
    data: {},
  } as const;
  expect(await outbox.reportWorker(lost)).toBe(true);
  expect(await outbox.takeTurn()).toBe(true);
  await outbox.endTurn();
  const deliveries = new Deliveries(schema);
  const expired = { id: "m", event: "worker.lost" as const, subject: "worker w2", body: "{}", at: 1 };
  await deliveries.expired("1-1", expired, 0);
  const [dropped] = await deliveries.dropped(1);
  expect(await deliveries.retry(dropped?.position ?? "")).toBe("m");

  const queue = new RequestQueue(schema);
  const request = { id: "r1", action: "retry" as const, items: ["s1"], who: "a", filed_at_utc: NOW_UTC };
  expect(await queue.file(request)).toEqual({ kind: "filed" });
  const result = { result: "done" as const, worker: "w1", at_utc: NOW_UTC };
  expect(await queue.settle(request, "s1", result)).toEqual({ kind: "settled", allSettled: true });
  expect((await queue.next(schema.redis)).requests).toEqual([]);

  const plans = new Plans(schema);
  const soon = new Date(Date.now() + 60_000).toISOString();
  await plans.save({
    token: "t",
    action: "purge",
    ids: ["s1"],
    counts: {},
    bytes: 0,
    who: "a",
    made_at_utc: NOW_UTC,
    expires_at_utc: soon,
  });
  expect(await plans.consume("t", "x")).toMatchObject({ kind: "ok" });
  const done = {
    stream_id: "s",
    file_inode: "1",
    file_size: 1,
    file_mtime_ns: "1",
    s3_bucket: "b",
    s3_key: "k",
    completed_at_utc: NOW_UTC,
  };
  const files = new FilesDone(schema);
  await files.put("src", [{ path: "/a", entry: done }]);
  expect(await files.move("src", [{ from: "/a", to: "/b", stream: "s", over: undefined }])).toEqual({
    kind: "moved",
  });
  expect(await new Sessions(schema).attempt({ exact: "::1/64", wide: "::1/48" })).toEqual({ allowed: true });
  expect(await new StreamReader(schema).counts()).toEqual({
    active: 0,
    pending_completion: 0,
    failed: 1,
    completed: 0,
  });
  expect((await new EventFeed(schema).since("0-0")).entries.length).toBeGreaterThan(3);
  await new WorkerRegistry(schema).unregister("w1", W1.nonce);

  const state = await schema.state();
  expect(state).not.toMatchObject(lease(W1));
  const stats = await harness.raw.info("commandstats");
  const calls = /cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1];
  expect(Number(calls)).toBeGreaterThanOrEqual(Object.keys(SCRIPTS).length);
});
