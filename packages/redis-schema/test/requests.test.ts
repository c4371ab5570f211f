/** Requests, plans, and what is kept by path or upload: filed once, settled once, carried out once. */
import type { DoneEntry } from "@sluice/core";
import {
  FEED_START,
  FilesDone,
  IgnoredFiles,
  OrphanStore,
  Plans,
  RequestQueue,
  WatchStore,
  redisNowMs,
  type ItemResult,
  type NewRequest,
  type Orphan,
  type PlanRecord,
} from "@sluice/redis-schema";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, NOW, NOW_UTC, startHarness, stream, type Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const request: NewRequest = {
  id: "r1",
  action: "retry",
  items: ["s1", "/rec/\udcff"],
  who: "ann",
  from: "10.0.0.1",
  reason: "the file is back",
  filed_at_utc: NOW_UTC,
  options: { force: true },
};
const done: ItemResult = { result: "done", detail: "goes on at part 3", worker: "w1", at_utc: NOW_UTC };

describe("a request", () => {
  test("is filed once however often it is sent, and kept for a day", async () => {
    const schema = harness.fresh();
    const queue = new RequestQueue(schema);
    expect(await queue.file(request)).toEqual({ kind: "filed" });
    const state = await schema.state();
    expect(state["requests"]).toEqual(stream({ id: "r1" }));
    expect(await queue.file({ ...request, reason: "again" })).toEqual({ kind: "known" });
    expect(await schema.state()).toEqual(state);
    expect(await queue.read("r1")).toEqual({
      kind: "ok",
      value: { ...request, state: "filed", results: {} },
    });
    expect(await harness.raw.pttl(schema.keys.request("r1"))).toBeGreaterThan(86_000_000);
  });

  test("is settled item by item; the first result of an item stands", async () => {
    const schema = harness.fresh();
    const queue = new RequestQueue(schema);
    await queue.file(request);
    expect(await queue.settle(request, "s1", done)).toEqual({ kind: "settled", allSettled: false });
    expect(await queue.read("r1")).toMatchObject({ value: { state: "partly", results: { s1: done } } });
    const state = await schema.state();
    const late: ItemResult = { ...done, result: "failed", worker: "w2" };
    expect(await queue.settle(request, "s1", late)).toEqual({ kind: "known" });
    expect(await schema.state()).toEqual(state);
    const second: ItemResult = { ...done, result: "refused", data: { parts: [1, 2] } };
    expect(await queue.settle(request, "/rec/\udcff", second)).toEqual({ kind: "settled", allSettled: true });
    expect(await queue.read("r1")).toEqual({
      kind: "ok",
      value: {
        ...request,
        state: "settled",
        settled_at_utc: NOW_UTC,
        results: { s1: done, "/rec/\udcff": second },
      },
    });
  });

  test("that is forgotten is neither settled nor brought back", async () => {
    const schema = harness.fresh();
    const queue = new RequestQueue(schema);
    expect(await queue.settle(request, "s1", done)).toEqual({ kind: "absent" });
    expect(await queue.read("r1")).toEqual({ kind: "absent" });
    expect(await schema.state()).toEqual({});
  });

  test("reaches a worker that waits, and one that starts later; settled ones are passed over", async () => {
    const schema = harness.fresh();
    const queue = new RequestQueue(schema);
    const blocking = await connect(harness.server.url);
    try {
      const waiting = queue.next(blocking, FEED_START, 4_000);
      await queue.file({ ...request, id: "r1", items: ["s1"] });
      const first = await waiting;
      expect(first.requests.map(({ request: { id } }) => id)).toEqual(["r1"]);
      await queue.settle({ ...request, items: ["s1"] }, "s1", done);
      await queue.file({ ...request, id: "r2" });
      const later = await queue.next(blocking, FEED_START);
      expect(later.requests.map(({ request: { id } }) => id)).toEqual(["r2"]);
      expect((await queue.next(blocking, later.position)).requests).toEqual([]);
      const again = await queue.next(blocking, first.position);
      expect(again).toEqual(later);
    } finally {
      blocking.disconnect();
    }
  });

  test("that cannot be read is passed over", async () => {
    const schema = harness.fresh();
    const queue = new RequestQueue(schema);
    await schema.seed({
      requests: stream({ id: "bad" }, { id: "gone" }, { other: "x" }),
      "request:bad": { id: "bad", action: "dance" },
    });
    await queue.file(request);
    const { requests } = await queue.next(schema.redis);
    expect(requests.map(({ request: { id } }) => id)).toEqual(["r1"]);
  });

  test("D8i: is in the queue as long as it is open, wherever readers believe to be, also after the queue began anew", async () => {
    const schema = harness.fresh();
    const queue = new RequestQueue(schema);
    await queue.file({ ...request, id: "r1", items: ["s1"] });
    await queue.file({ ...request, id: "r2", items: ["s2"] });
    const [first, second] = await queue.entries();
    expect([first?.id, second?.id]).toEqual(["r1", "r2"]);
    await queue.settle({ ...request, id: "r1", items: ["s1"] }, "s1", done);
    expect(await queue.entries()).toEqual([second]);
    // Redis was emptied, and what is asked since stands before what was read then.
    await harness.raw.del(schema.keys.requests, schema.keys.request("r2"));
    await harness.raw.xadd(schema.keys.requests, "1-0", "id", "r3");
    await harness.raw.hset(schema.keys.request("r3"), {
      id: "r3",
      action: "retry",
      items: '["s3"]',
      who: "ann",
      filed_at_utc: NOW_UTC,
    });
    const { requests } = await queue.load(await queue.entries());
    expect(requests.map(({ request: { id } }) => id)).toEqual(["r3"]);
  });

  test("settled by a worker of an earlier version leaves the queue when it is next seen", async () => {
    const schema = harness.fresh();
    const queue = new RequestQueue(schema);
    await queue.file({ ...request, items: ["s1"] });
    await harness.raw.hset(schema.keys.request("r1"), "item:s1", JSON.stringify(done));
    expect(await queue.load(await queue.entries())).toEqual({ requests: [], unreadable: [] });
    expect(await queue.entries()).toEqual([]);
  });

  test("D4d: of 4,000 items is settled with so many bytes as it has results, not with all items for each", async () => {
    const schema = harness.fresh();
    const queue = new RequestQueue(schema);
    const items = Array.from({ length: 4_000 }, (_, at) => `01k9${String(at).padStart(22, "0")}`);
    const bulk = { ...request, id: "bulk", items };
    await queue.file(bulk);
    const received = async (): Promise<number> =>
      Number(/total_net_input_bytes:(\d+)/.exec(await harness.raw.info("stats"))?.[1]);
    const calls = async (): Promise<number> =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await harness.raw.info("commandstats"))?.[1] ?? 0);
    const [bytes, scripts] = [await received(), await calls()];
    for (let from = 0; from < items.length; from += 200) {
      const batch = items.slice(from, from + 200).map((item) => [item, done] as const);
      await queue.settleAll(bulk, batch);
    }
    expect(await queue.read("bulk")).toMatchObject({ value: { state: "settled" } });
    expect(await queue.answered("bulk")).toBe(4_000);
    expect((await calls()) - scripts).toBeLessThanOrEqual(21);
    // Its id twice, its result and the protocol around them.
    expect((await received()) - bytes).toBeLessThan(items.length * 400);
    expect(await queue.entries()).toEqual([]);
  });

  test("counts results that were there before it counted, and an item that is named twice once", async () => {
    const schema = harness.fresh();
    const queue = new RequestQueue(schema);
    const twice = { ...request, items: ["s1", "s2", "s1"] };
    await queue.file(twice);
    await harness.raw.hset(schema.keys.request("r1"), "item:s1", JSON.stringify(done));
    expect(await queue.settle(twice, "s2", done)).toEqual({ kind: "settled", allSettled: true });
  });

  test("D8a: lets one worker at a time act on an item; whoever is gone holds nobody off for long", async () => {
    const schema = harness.fresh();
    const queue = new RequestQueue(schema);
    await queue.file(request);
    expect(await queue.hold("r1", "s1", "n1", 60_000)).toBe(true);
    expect(await queue.hold("r1", "s1", "n2", 60_000)).toBe(false);
    expect(await queue.hold("r1", "s1", "n1", 1)).toBe(true);
    await expect.poll(() => queue.hold("r1", "s1", "n2", 60_000)).toBe(true);
    await queue.settle(request, "s1", done);
    expect(await queue.hold("r1", "s1", "n2", 60_000)).toBe(false);
    expect(await queue.hold("gone", "s1", "n2", 60_000)).toBe(false);
    expect(await harness.raw.hkeys(schema.keys.request("r1"))).not.toContain("hold:item:s1");
  });

  test("D8a: has its age from Redis's clock, and from when it says that it was asked", async () => {
    const schema = harness.fresh();
    const queue = new RequestQueue(schema);
    const now = await redisNowMs(schema);
    await queue.file({ ...request, filed_at_utc: new Date(now).toISOString() });
    await queue.file({ ...request, id: "r2", filed_at_utc: new Date(now - 11 * 60_000).toISOString() });
    const { requests } = await queue.load(await queue.entries());
    const [young = 0, old = 0] = await Promise.all(requests.map((one) => queue.ageMs(one)));
    expect(young).toBeLessThan(60_000);
    expect(old).toBeGreaterThanOrEqual(11 * 60_000);
  });

  test("can be waited for", async () => {
    const schema = harness.fresh();
    const queue = new RequestQueue(schema);
    await queue.file({ ...request, items: ["s1"] });
    const looks: number[] = [];
    const sleep = async (ms: number) => {
      looks.push(ms);
      await queue.settle({ ...request, items: ["s1"] }, "s1", done);
    };
    expect(await queue.wait("r1", sleep, new AbortController().signal)).toMatchObject({
      value: { state: "settled" },
    });
    expect(looks).toHaveLength(1);
    const ended = AbortSignal.abort();
    await queue.file({ ...request, id: "r2" });
    expect(await queue.wait("r2", sleep, ended)).toMatchObject({ value: { state: "filed" } });
  });
});

describe("D8h: with an asker whose clock is off", () => {
  test.each([-20, 20])(
    "by %i min a plan lives as long as any other, and nothing in the queue is lost",
    async (minutes) => {
      const schema = harness.fresh();
      const queue = new RequestQueue(schema);
      await queue.file(request);
      schema.clock.now = Date.now() + minutes * 60_000;
      const plans = new Plans(schema);
      const lifetime = await plans.lifetime();
      expect(Math.abs(Date.parse(lifetime.made_at_utc) - (await redisNowMs(schema)))).toBeLessThan(60_000);
      const plan = { token: "t", action: "purge", ids: [], counts: {}, bytes: 0, who: "ann", ...lifetime };
      await plans.save(plan);
      expect((await plans.consume("t", "run")).kind).toBe("ok");
      expect(await harness.raw.pttl(schema.keys.plan("t"))).toBeGreaterThan(14 * 60_000);
      schema.clock.now = Date.now() + 3 * 86_400_000;
      await queue.file({ ...request, id: "later" });
      expect((await queue.entries()).map(({ id }) => id)).toEqual(["r1", "later"]);
    },
  );
});

test("D8i: a plan of thousands of ids is read back after it was carried out", async () => {
  const schema = harness.fresh();
  const plans = new Plans(schema);
  const ids = Array.from({ length: 10_000 }, (_, at) => `s${at}`);
  const lifetime = await plans.lifetime();
  await plans.save({ token: "t", action: "purge", ids, counts: {}, bytes: 0, who: "ann", ...lifetime });
  await plans.record("t", new Map(ids.map((id) => [id, { result: "done" }] as const)));
  expect(await plans.consume("t", "run")).toMatchObject({ kind: "ok", value: { consumed_by: "run" } });
});

describe("a plan", () => {
  const plan: PlanRecord = {
    token: "t1",
    action: "purge",
    ids: ["s1", "s2"],
    counts: { streams: 2 },
    bytes: 1_000,
    who: "ann",
    made_at_utc: NOW_UTC,
    expires_at_utc: new Date(Date.now() + 60_000).toISOString(),
  };

  test("is read as it was saved and forgotten when it expires", async () => {
    const schema = harness.fresh();
    const plans = new Plans(schema);
    await plans.save(plan);
    expect(await plans.load("t1")).toEqual({ kind: "ok", value: plan });
    const left = await harness.raw.pttl(schema.keys.plan("t1"));
    expect(left).toBeGreaterThan(50_000);
    expect(left).toBeLessThanOrEqual(60_000);
    await plans.save({ ...plan, token: "late", expires_at_utc: new Date(Date.now() - 1_000).toISOString() });
    expect(await plans.load("late")).toEqual({ kind: "absent" });
  });

  test("is carried out by one execution only, which may ask again", async () => {
    const schema = harness.fresh();
    const plans = new Plans(schema);
    await plans.save(plan);
    const consumed = { kind: "ok", value: { ...plan, consumed_by: "run-1" } };
    expect(await plans.consume("t1", "run-1")).toEqual(consumed);
    expect(await plans.consume("t1", "run-1")).toEqual(consumed);
    expect(await plans.consume("t1", "run-2")).toEqual({ kind: "consumed" });
    expect(await plans.consume("nowhere", "run-1")).toEqual({ kind: "absent" });
  });
});

test("a plan that was carried out keeps for a day what came of each id", async () => {
  const schema = harness.fresh();
  const plans = new Plans(schema);
  await schema.seed({ "plan:t1": { token: "t1", "item:odd": "{" } });
  await plans.record("t1", new Map([["s1", { result: "done" }]]));
  await plans.record("t1", new Map([["s2", { result: "refused", detail: "it is processing" }]]));
  expect(await plans.results("t1")).toEqual(
    new Map([
      ["s1", { result: "done" }],
      ["s2", { result: "refused", detail: "it is processing" }],
    ]),
  );
  expect(await harness.raw.pttl(schema.keys.plan("t1"))).toBeGreaterThan(86_000_000);
});

describe("completed files", () => {
  const entry: DoneEntry = {
    stream_id: "s1",
    file_inode: "11",
    file_size: 5,
    file_mtime_ns: "7",
    s3_bucket: "b",
    s3_key: "k",
    completed_at_utc: NOW_UTC,
  };
  const odd = "/rec/\udcfe.wav";

  test("are loaded by source, raw bytes and all; entries that cannot be read are left out", async () => {
    const schema = harness.fresh();
    const files = new FilesDone(schema);
    const many = Array.from({ length: 2_500 }, (_, at) => ({ path: `/rec/${at}`, entry }));
    await files.put("src", [...many, { path: odd, entry }]);
    await files.put("other", [{ path: "/rec/x", entry }]);
    await harness.raw.hset(schema.keys.filesDone, "src:/rec/bad", "{", "src:/rec/half", '{"stream_id":"x"}');
    const loaded = await files.load("src");
    expect(loaded.size).toBe(2_501);
    expect(loaded.get(odd)).toEqual(entry);
    expect(await files.get("src", ["/rec/1", "/rec/bad", "/rec/none", odd])).toEqual([
      entry,
      undefined,
      undefined,
      entry,
    ]);
  });

  test("D2a: keep their entries when they are renamed or swap names; sent twice changes nothing", async () => {
    const schema = harness.fresh();
    const files = new FilesDone(schema);
    const { stream_id: stream } = entry;
    await files.put("src", [{ path: "/rec/a", entry }]);
    const renamed = [{ from: "/rec/a", to: odd, stream, over: undefined }];
    expect(await files.move("src", renamed)).toEqual({ kind: "moved" });
    expect(await files.get("src", ["/rec/a", odd])).toEqual([undefined, entry]);
    expect(await files.move("src", renamed)).toEqual({ kind: "changed" });
    const other = { ...entry, stream_id: "s2" };
    await files.put("src", [{ path: "/rec/b", entry: other }]);
    const swapped = [
      { from: odd, to: "/rec/b", stream, over: "s2" },
      { from: "/rec/b", to: odd, stream: "s2", over: stream },
    ];
    expect(await files.move("src", swapped)).toEqual({ kind: "moved" });
    expect(await files.get("src", ["/rec/b", odd])).toEqual([entry, other]);
    // One that is not there as it was read: none is moved.
    const half = [
      { from: odd, to: "/rec/c", stream: "s2", over: undefined },
      { from: "/rec/none", to: odd, stream, over: "s2" },
    ];
    expect(await files.move("src", half)).toEqual({ kind: "changed" });
    expect(await files.get("src", ["/rec/b", odd])).toEqual([entry, other]);
    await files.remove("src", [odd, "/rec/b"]);
    expect(await schema.state()).toEqual({});
  });

  test("D2a: keep their entries at the old name while another stream replaces their object", async () => {
    const schema = harness.fresh();
    const files = new FilesDone(schema);
    const { stream_id: stream, s3_bucket, s3_key } = entry;
    await files.put("src", [{ path: "/rec/a", entry }]);
    const renamed = [{ from: "/rec/a", to: "/rec/b", stream, over: undefined }];
    await harness.raw.hset(schema.keys.byKey, `${s3_bucket}/${s3_key}`, "s2");
    expect(await files.move("src", renamed)).toEqual({ kind: "changed" });
    expect(await files.get("src", ["/rec/a", "/rec/b"])).toEqual([entry, undefined]);
    // Its own claim is no other's.
    await harness.raw.hset(schema.keys.byKey, `${s3_bucket}/${s3_key}`, stream);
    expect(await files.move("src", renamed)).toEqual({ kind: "moved" });
    expect(await files.get("src", ["/rec/a", "/rec/b"])).toEqual([undefined, entry]);
  });

  test("D2a: keep their entries when another worker moved them first, or completed a file at the new name", async () => {
    const files = new FilesDone(harness.fresh());
    const { stream_id: stream } = entry;
    const [other, third] = [
      { ...entry, stream_id: "s2" },
      { ...entry, stream_id: "s3" },
    ];
    await files.put("src", [
      { path: "/rec/a", entry: other },
      { path: "/rec/b", entry: third },
    ]);
    const changed = { kind: "changed" };
    // The entry that was known at the old name is elsewhere by now.
    expect(await files.move("src", [{ from: "/rec/a", to: "/rec/c", stream, over: undefined }])).toEqual(
      changed,
    );
    // Nothing was known at the new name, or another entry.
    for (const over of [undefined, stream])
      expect(await files.move("src", [{ from: "/rec/a", to: "/rec/b", stream: "s2", over }])).toEqual(
        changed,
      );
    expect(await files.get("src", ["/rec/a", "/rec/b", "/rec/c"])).toEqual([other, third, undefined]);
    const known = [{ from: "/rec/a", to: "/rec/b", stream: "s2", over: "s3" }];
    expect(await files.move("src", known)).toEqual({ kind: "moved" });
    expect(await files.get("src", ["/rec/a", "/rec/b"])).toEqual([undefined, other]);
  });
});

describe("ignored files", () => {
  test("are marked by source and path, bad marks left out, until the mark is lifted", async () => {
    const schema = harness.fresh();
    const mark = {
      stream_id: "s1",
      who: "ann",
      at_utc: NOW_UTC,
      file_inode: "11",
      file_size: 5,
      file_mtime_ns: "7",
    };
    await schema.seed({
      "files:ignored": {
        "src:/rec/a": JSON.stringify(mark),
        "src:/rec/bad": "[]",
        "o:/x": JSON.stringify(mark),
      },
    });
    const ignored = new IgnoredFiles(schema);
    expect(await ignored.load("src")).toEqual(new Map([["/rec/a", mark]]));
    expect(await ignored.get("src", "/rec/a")).toEqual(mark);
    expect((await ignored.all()).map(({ field }) => field).toSorted()).toEqual(["o:/x", "src:/rec/a"]);
    await ignored.lift("src", ["/rec/a"]);
    expect(await ignored.get("src", "/rec/a")).toBeUndefined();
  });
});

describe("orphans", () => {
  const orphan = (id: string, key: string, seen: string): Omit<Orphan, "first_seen_at_utc"> => ({
    s3_upload_id: id,
    s3_bucket: "b",
    s3_key: key,
    verdict: "unknown",
    because: "no stream names it",
    last_seen_at_utc: seen,
  });
  const later = new Date(NOW + 60_000).toISOString();

  test("a scan replaces what was known under its prefix and keeps when each was first seen", async () => {
    const schema = harness.fresh();
    const store = new OrphanStore(schema);
    await store.replaceScan("b", "p/", [orphan("u1", "p/1", NOW_UTC), orphan("u2", "p/2", NOW_UTC)]);
    await store.replaceScan("b", "q/", [orphan("u3", "q/3", NOW_UTC)]);
    await store.replaceScan("b", "p/", [orphan("u2", "p/2", later), orphan("u4", "p/4", later)]);
    const known = (await store.orphans()).toSorted((a, b) => (a.s3_upload_id < b.s3_upload_id ? -1 : 1));
    expect(known).toEqual([
      { ...orphan("u2", "p/2", later), first_seen_at_utc: NOW_UTC },
      { ...orphan("u3", "q/3", NOW_UTC), first_seen_at_utc: NOW_UTC },
      { ...orphan("u4", "p/4", later), first_seen_at_utc: later },
    ]);
    await store.removeOrphans(["u2", "u3", "u4"]);
    expect(await store.orphans()).toEqual([]);
  });

  test("uploads left to be aborted stay until they are gone from the store", async () => {
    const schema = harness.fresh();
    const store = new OrphanStore(schema);
    const upload = { s3_upload_id: "u1", s3_bucket: "b", s3_key: "k", who: "ann", at_utc: NOW_UTC };
    await store.leaveToAbort(upload);
    expect(await store.toAbort()).toEqual([upload]);
    await store.aborted(["u1"]);
    await store.aborted(["u1"]);
    expect(await store.toAbort()).toEqual([]);
  });
});

test("a watch is read as it was saved, and forgets what is not said any more", async () => {
  const schema = harness.fresh();
  const watches = new WatchStore(schema);
  const watch = {
    source: "src",
    name: "rec",
    root: "/rec/\udcff",
    state: "offline",
    state_detail: "gone",
    root_inode: "2",
    since_utc: NOW_UTC,
  } as const;
  expect(await watches.load("src", "rec")).toEqual({ kind: "absent" });
  await watches.save(watch);
  expect(await watches.load("src", "rec")).toEqual({ kind: "ok", value: watch });
  const { state_detail: _, ...back } = { ...watch, state: "ok" as const };
  await watches.save(back);
  expect(
    await watches.loadMany([
      { source: "src", name: "rec" },
      { source: "src", name: "x" },
    ]),
  ).toEqual([back, undefined]);
});
