/** What the dashboard reads: pages, one stream, everything, the feed, the audit log, the counters. */
import { failed, streamId } from "@sluice/core";
import {
  AuditLog,
  EventFeed,
  FEED_START,
  KEPT,
  StatsStore,
  StreamReader,
  StreamStore,
  type FeedBatch,
  type RedisClient,
} from "@sluice/redis-schema";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  connect,
  lease,
  line,
  NOW,
  NOW_UTC,
  record,
  startHarness,
  stored,
  stream,
  text,
  W1,
  zset,
  type Harness,
} from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

describe("pages", () => {
  test.each([
    [true, ["e", "d", "c", "b2", "b1", "b", "a"]],
    [false, ["a", "b", "b1", "b2", "c", "d", "e"]],
  ])("newest first %s: every stream once, ties included", async (newestFirst, want) => {
    const schema = harness.fresh();
    await schema.seed({ "streams:failed": zset({ a: 1, b: 2, b1: 2, b2: 2, c: 3, d: 4, e: 5 }) });
    const reader = new StreamReader(schema);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await reader.page("failed", { limit: 2, newestFirst, ...(cursor ? { cursor } : {}) });
      seen.push(...page.rows.map(({ id }) => id));
      cursor = page.next;
    } while (cursor !== undefined);
    expect(seen).toEqual(want);
  });

  test("go on past hundreds of streams of one moment", async () => {
    const schema = harness.fresh();
    const scores = Object.fromEntries(
      Array.from({ length: 400 }, (_, at) => [`id-${String(at).padStart(3, "0")}`, 7]),
    );
    await schema.seed({ "streams:completed": zset(scores) });
    const reader = new StreamReader(schema);
    const page = await reader.page("completed", { limit: 3, cursor: "7:id-010" });
    expect(page.rows.map(({ id }) => id)).toEqual(["id-009", "id-008", "id-007"]);
  });

  test("show what a list needs, and streams whose record is missing or of no known state", async () => {
    const schema = harness.fresh();
    const broken = record({ status: failed("file_missing"), failure_reason: "file_missing" });
    await schema.seed({
      ...stored(broken, { index: "failed", score: 9 }),
      "stream:odd:meta": { status: "frozen", file_size: "many" },
      "stream:founding:meta": { original_path: "/rec/f" },
    });
    await schema.seed({ "streams:failed": zset({ ghost: 8, odd: 7, founding: 6 }) });
    const path = Buffer.from([...Buffer.from("/rec/"), 0xff, ...Buffer.from(".mkv")]);
    await harness.raw.hset(schema.keys.streamMeta("s1"), "original_path", path);
    const { rows } = await new StreamReader(schema).page("failed", { limit: 10 });
    expect(rows[0]).toMatchObject({
      id: "s1",
      index: "failed",
      score: 9,
      status: "failed_file_missing",
      kind: "failed",
      original_path: "/rec/%FF.mkv",
      file_size: 10,
      bytes_sent: 0,
      failure_reason: "file_missing",
    });
    expect(rows.slice(1)).toEqual([
      { id: "ghost", status: "", kind: undefined, index: "failed", score: 8 },
      { id: "odd", status: "frozen", kind: undefined, index: "failed", score: 7 },
      {
        id: "founding",
        status: "processing",
        kind: "processing",
        original_path: "/rec/f",
        index: "failed",
        score: 6,
      },
    ]);
  });
});

test("the counts are those of the indexes", async () => {
  const schema = harness.fresh();
  await schema.seed({ "streams:active": zset({ a: 1, b: 2 }), "streams:failed": zset({ c: 1 }) });
  expect(await new StreamReader(schema).counts()).toEqual({
    active: 2,
    pending_completion: 0,
    failed: 1,
    completed: 0,
  });
});

describe("one stream", () => {
  test("comes with record, raw fields, timeline, part count and indexes", async () => {
    const schema = harness.fresh();
    const of = record({ original_path: "/rec/\udcff" });
    await schema.seed({ ...lease(W1), "stream:s1:log": ["plain words of an earlier phase"] });
    await new StreamStore(schema, W1).open({ record: of, log: ["found"] });
    await schema.seed({ "stream:s1:parts": { "1": "{}" } });
    const detail = await new StreamReader(schema).stream("s1");
    expect(detail).toMatchObject({
      id: "s1",
      parsed: { kind: "record", record: of },
      raw: { original_path: "/rec/%FF", status: "opening" },
      log: [{ text: "found", worker: "w1", at_utc: NOW_UTC }, { text: "plain words of an earlier phase" }],
      partCount: 1,
      indexes: ["active"],
    });
  });

  test("that is nowhere is absent", async () => {
    const detail = await new StreamReader(harness.fresh()).stream("nope");
    expect(detail).toEqual({
      id: "nope",
      parsed: { kind: "absent" },
      raw: {},
      log: [],
      partCount: 0,
      indexes: [],
    });
  });

  test("gives all its parts, or a range of them", async () => {
    const schema = harness.fresh();
    const part = (n: number) => ({ PartNumber: n, ETag: `e${n}`, Size: 5, Offset: (n - 1) * 5 });
    const parts = Object.fromEntries([1, 2, 3, 5].map((n) => [String(n), JSON.stringify(part(n))]));
    await schema.seed({ "stream:s1:parts": { ...parts, "4": "broken" } });
    const reader = new StreamReader(schema);
    const all = await reader.parts("s1");
    expect([...all.parts.values()]).toEqual([1, 2, 3, 5].map(part));
    expect(all.bad).toEqual([{ field: "4", detail: "not JSON" }]);
    const some = await reader.parts("s1", { from: 2, to: 3 });
    expect([...some.parts.keys()]).toEqual([2, 3]);
    expect((await reader.parts("s1", { from: 3, to: 2 })).parts.size).toBe(0);
  });
});

test("everything is read in chunks, index by index", async () => {
  const schema = harness.fresh();
  const ids = Array.from({ length: KEPT.pageOfRecords + 20 }, (_, at) => `id-${String(at).padStart(4, "0")}`);
  await schema.seed({
    "streams:active": zset(Object.fromEntries(ids.map((id, at) => [id, at]))),
    "streams:failed": zset({ broken: 1 }),
    "stream:id-0003:meta": { status: "processing", bytes_sent: "9" },
  });
  const chunks = await Array.fromAsync(new StreamReader(schema).all());
  expect(chunks.map(({ length }) => length)).toEqual([KEPT.pageOfRecords, 20, 1]);
  expect(chunks.flat().map(({ id }) => id)).toEqual([...ids, "broken"]);
  expect(chunks[0]?.[3]).toEqual({
    id: "id-0003",
    status: "processing",
    kind: "processing",
    bytes_sent: 9,
    index: "active",
    score: 3,
  });
});

test("streams are found by the raw bytes of their path", async () => {
  const schema = harness.fresh();
  await schema.seed(lease(W1));
  await new StreamStore(schema, W1).open({ record: record({ original_path: "/rec/\udcff" }), log: [] });
  const reader = new StreamReader(schema);
  const bytes = Buffer.from([...Buffer.from("src:/rec/"), 0xff]);
  expect(await reader.idsByPath([bytes, "src:/rec/none"])).toEqual(["s1", undefined]);
  expect(await reader.rows(["s1", "none"])).toMatchObject([{ id: "s1", status: "opening" }, undefined]);
});

describe("the feed", () => {
  test("gives what came after a position, and nothing twice", async () => {
    const schema = harness.fresh();
    const feed = new EventFeed(schema);
    expect(await feed.position()).toBe(FEED_START);
    await feed.append({ type: "state", subject: "s1", status: "processing", detail: "x", worker: "w1" });
    const first = await feed.since(FEED_START);
    expect(first).toMatchObject({ gap: false, entries: [{ type: "state", subject: "s1", at: NOW }] });
    expect(first.position).toBe(await feed.position());
    expect(await feed.since(first.position)).toEqual({ position: first.position, gap: false, entries: [] });
    await feed.append({ type: "removed", subject: "s1" });
    const second = await feed.since(first.position);
    expect(second.entries.map(({ type }) => type)).toEqual(["removed"]);
  });

  test("says so when entries in between are lost: trimmed away, or gone with their Redis", async () => {
    const schema = harness.fresh();
    const feed = new EventFeed(schema);
    await feed.append({ type: "log", subject: "a" });
    const position = await feed.position();
    for (const subject of ["b", "c", "d"]) await feed.append({ type: "log", subject });
    await harness.raw.xtrim(schema.keys.events, "MAXLEN", 1);
    const batch = await feed.since(position);
    expect(batch).toMatchObject({ gap: true, entries: [{ subject: "d" }] });
    expect(await feed.since(batch.position)).toMatchObject({ gap: false, entries: [] });
    await harness.raw.del(schema.keys.events);
    expect(await feed.since(batch.position)).toEqual({ position: FEED_START, gap: true, entries: [] });
  });

  test("is followed as it grows, past entries that cannot be read, until it is told to end", async () => {
    const schema = harness.fresh();
    const feed = new EventFeed(schema);
    const blocking: RedisClient = await connect(harness.server.url);
    const stop = new AbortController();
    const batches: FeedBatch[] = [];
    try {
      await schema.seed({ events: stream({ type: "strange" }) });
      const following = (async () => {
        for await (const batch of feed.follow(blocking, FEED_START, 100, stop.signal)) {
          batches.push(batch);
          if (batch.entries.some(({ subject }) => subject === "last")) stop.abort();
        }
      })();
      await feed.append({ type: "log", subject: "first" });
      await feed.append({ type: "log", subject: "last" });
      await following;
    } finally {
      blocking.disconnect();
    }
    expect(batches.flatMap(({ entries }) => entries.map(({ subject }) => subject))).toEqual([
      "first",
      "last",
    ]);
    expect(batches.every(({ gap }) => !gap)).toBe(true);
  });
});

test("refused sign-ins have their own end, and are read with the audit log in order", async () => {
  const schema = harness.fresh();
  const audit = new AuditLog(schema);
  const entry = { who: "ann", ids: [], result: "done" };
  await audit.append({ ...entry, action: "purge 1" });
  for (let at = 0; at < 5; at += 1) await audit.appendRefusal({ ...entry, action: `sign in ${at}` });
  await audit.append({ ...entry, action: "purge 2" });
  const pages: string[] = [];
  let next: string | undefined;
  do {
    const page = await audit.page(2, next);
    pages.push(...page.entries.map(({ action }) => action));
    next = page.next;
  } while (next !== undefined);
  // Two streams can hold entries of one moment; which of them stands first is open.
  expect(pages.toSorted()).toEqual(["purge 1", "purge 2", ...[0, 1, 2, 3, 4].map((at) => `sign in ${at}`)]);
  const flood = Array.from({ length: 3_000 }, () => audit.appendRefusal({ ...entry, action: "sign in" }));
  await Promise.all(flood);
  expect(await harness.raw.xlen(schema.keys.auditRefused)).toBeLessThan(KEPT.auditRefusals + 200);
  expect(await harness.raw.xlen(schema.keys.audit)).toBe(2);
});

test("the audit log is paged from the newest back", async () => {
  const schema = harness.fresh();
  const audit = new AuditLog(schema);
  for (const at of [1, 2, 3, 4, 5]) {
    await audit.append({
      who: "ann",
      from: "::1",
      action: `purge ${at}`,
      ids: ["s1"],
      reason: "old",
      result: "done",
    });
  }
  await schema.seed({ audit: stream({ who: "broken" }) });
  const first = await audit.page(3);
  expect(first.entries.map(({ action }) => action)).toEqual(["purge 5", "purge 4"]);
  const second = await audit.page(3, first.next);
  expect(second.entries.map(({ action }) => action)).toEqual(["purge 3", "purge 2", "purge 1"]);
  expect(second.next).toBeUndefined();
  expect(second.entries[0]).toMatchObject({
    who: "ann",
    from: "::1",
    ids: ["s1"],
    reason: "old",
    result: "done",
    at_utc: NOW_UTC,
  });
});

describe("the audit log, filtered", () => {
  const day = 86_400_000;
  const entry = (at: number, over: Record<string, string>) => ({
    who: "ann",
    action: "purge",
    ids: '["s1"]',
    result: "done",
    at_utc: new Date(at).toISOString(),
    ...over,
  });

  async function seeded() {
    const schema = harness.fresh();
    const write = harness.raw.multi();
    const add = (at: number, over: Record<string, string>) =>
      write.xadd(schema.keys.audit, `${at}-0`, ...Object.entries(entry(at, over)).flat());
    add(day, { action: "sign in", ids: "[]" });
    add(day + 1, { who: "bob", action: "retry" });
    add(2 * day, { plan: "p1", ids: '["s2"]' });
    add(3 * day, {});
    await write.exec();
    const audit = new AuditLog(schema);
    await audit.appendRefusal({ who: "operator", action: "sign in", ids: [], result: "refused" });
    return audit;
  }

  const positions = ({ entries }: { entries: readonly { position: string }[] }) =>
    entries.map(({ position }) => Number(position.split("-")[0]) / day);

  test("has sign-ins apart, also refused ones", async () => {
    const audit = await seeded();
    expect(
      (await audit.page(10, undefined, { kind: "sign_ins" })).entries.map(({ result }) => result),
    ).toEqual(["refused", "done"]);
    expect((await audit.page(10, undefined, { kind: "actions" })).entries).toHaveLength(3);
  });

  test("is by actor, by action and by time, the end of which is not part of it", async () => {
    const audit = await seeded();
    const only = async (filter: Parameters<AuditLog["page"]>[2]) =>
      positions(await audit.page(10, undefined, { kind: "actions", ...filter }));
    expect(await only({ who: "bob" })).toHaveLength(1);
    expect(await only({ action: "purge" })).toEqual([3, 2]);
    expect(await only({ from: 2 * day })).toEqual([3, 2]);
    expect(await only({ from: 2 * day, until: 3 * day })).toEqual([2]);
  });

  test("is paged to its end, whatever a page holds", async () => {
    const audit = await seeded();
    const found: number[] = [];
    let next: string | undefined;
    do {
      const page = await audit.page(1, next, { kind: "actions", action: "purge" });
      found.push(...positions(page));
      next = page.next;
    } while (next !== undefined);
    expect(found).toEqual([3, 2]);
  });

  test("tells of one item, or of one plan, what was done", async () => {
    const audit = await seeded();
    expect((await audit.about("s1", 10)).map(({ action }) => action)).toEqual(["purge", "retry"]);
    expect((await audit.about("p1", 10)).map(({ ids }) => ids)).toEqual([["s2"]]);
    expect(await audit.about("none", 10)).toEqual([]);
  });
});

test("the counters of the last minutes are summed in all and by worker", async () => {
  const schema = harness.fresh();
  await schema.seed({
    "stats:202611241020": { parts: "2", "parts@w1": "1", "parts@w:2": "1", "lag_bytes@w1": "50", odd: "x" },
    "stats:202611241018": { parts: "5", "parts@w1": "5", bytes_sent: "100", "bytes_sent@w1": "100" },
    "stats:202611241017": { parts: "99", "parts@w1": "99" },
  });
  const window = await new StatsStore(schema).lastMinutes(3);
  expect(
    window.minutes.map(({ startsAt, all }) => [new Date(startsAt).toISOString().slice(11, 16), all.parts]),
  ).toEqual([
    ["10:18", 5],
    ["10:19", 0],
    ["10:20", 2],
  ]);
  expect(window.minutes[2]?.byWorker).toEqual({ w1: { parts: 1, lag_bytes: 50 }, "w:2": { parts: 1 } });
  expect(window.sum).toMatchObject({ parts: 7, bytes_sent: 100 });
  expect(window.sumByWorker).toMatchObject({
    w1: { parts: 6, bytes_sent: 100 },
    "w:2": { parts: 1, bytes_sent: 0 },
  });
});

test("a key of another type under one stream's name hides no other stream", async () => {
  const schema = harness.fresh();
  await schema.seed({
    ...stored(record()),
    "streams:active": zset({ s1: 2, odd: 1 }),
    "stream:odd:meta": text("theirs"),
    "stream:odd:parts": text("theirs"),
    "stream:odd:log": text("theirs"),
  });
  const reader = new StreamReader(schema);
  const { rows } = await reader.page("active", { limit: 10 });
  expect(rows.map(({ id, status }) => [id, status])).toEqual([
    ["s1", "opening"],
    ["odd", ""],
  ]);
  expect(rows[1]?.failure_detail).toContain("is not a hash");
  expect(await reader.stream("odd")).toMatchObject({
    parsed: { kind: "corrupt" },
    raw: {},
    log: [],
    partCount: 0,
    indexes: ["active"],
  });
});

test("R11: a key of another type under our prefix is named in plain words", async () => {
  const schema = harness.fresh();
  await schema.seed({ "streams:active": text("theirs") });
  await expect(new StreamReader(schema).counts()).rejects.toThrow(
    "another program uses this Redis with the same key prefix",
  );
});

test("ids of an index are listed oldest first", async () => {
  const schema = harness.fresh();
  await schema.seed({ "streams:active": zset({ b: 2, a: 1 }), "stream:a:log": [line("x")] });
  expect(await new StreamReader(schema).ids("active")).toEqual([streamId("a"), streamId("b")]);
});
