/** Each row: the whole state before, one write, the whole state after; and the same write once more changes nothing. */
import { failed, streamId, type StreamRecord, type StreamWrite } from "@sluice/core";
import { StreamStore } from "@sluice/redis-schema";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  after,
  lease,
  line,
  MINUTE_KEY,
  NOW,
  NOW_UTC,
  record,
  startHarness,
  stored,
  stream,
  W1,
  zset,
  type Harness,
  type State,
} from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const EARLIER = "2026-11-24T10:00:00.000Z";
const processing = record({ status: "processing", s3_key: "a.mkv", s3_upload_id: "up1", revision: 4 });
const part1 = { PartNumber: 1, ETag: "e1", Size: 8, Offset: 0, ChecksumCRC32: "AAAAAA==" };
const part2 = { PartNumber: 2, ETag: "e2", Size: 8, Offset: 8 };
const taken = { "bkt/a.mkv": "s1", "bkt/a.mkv.metadata.json": "s1" };
const done = {
  stream_id: "s1",
  file_inode: "11",
  file_size: 16,
  file_mtime_ns: "5",
  s3_bucket: "bkt",
  s3_key: "a.mkv",
  completed_at_utc: NOW_UTC,
};

interface Row {
  claim: string;
  before: StreamRecord;
  seed: State;
  write: StreamWrite;
  want: State;
}

const rows: Row[] = [
  {
    claim: "parts, their run, the counters and the feed change together",
    before: processing,
    seed: { ...lease(W1), ...stored(processing), "stream:s1:parts": { "1": JSON.stringify(part1) } },
    write: {
      from: ["processing"],
      patch: { next_part: 3, bytes_sent: 16, last_activity_at_utc: EARLIER },
      parts: [part2],
      event: { type: "progress" },
      stats: { bytes_sent: 8, parts: 1, retries: 0 },
    },
    want: {
      ...lease(W1),
      ...stored(after(processing, { next_part: 3, bytes_sent: 16, last_activity_at_utc: EARLIER }), {
        score: Date.parse(EARLIER),
      }),
      "stream:s1:parts": { "1": JSON.stringify(part1), "2": JSON.stringify(part2) },
      [MINUTE_KEY]: {
        bytes_sent: "8",
        "bytes_sent@w1": "8",
        "bytes_sent#src/rec": "8",
        parts: "1",
        "parts@w1": "1",
        "parts#src/rec": "1",
      },
      events: stream({
        type: "progress",
        subject: "s1",
        at: String(NOW),
        status: "processing",
        worker: "w1",
      }),
    },
  },
  {
    claim: "a complete file moves to the pending index, scored by the time of entering",
    before: processing,
    seed: { ...lease(W1), ...stored(processing) },
    write: {
      from: ["processing", "opening"],
      patch: { status: "pending_completion", last_activity_at_utc: EARLIER },
      log: ["judged complete", "sealing"],
      event: { type: "state", detail: "judged complete" },
    },
    want: {
      ...lease(W1),
      ...stored(after(processing, { status: "pending_completion", last_activity_at_utc: EARLIER }), {
        index: "pending_completion",
      }),
      "stream:s1:log": [line("sealing"), line("judged complete")],
      events: stream({
        type: "state",
        subject: "s1",
        at: String(NOW),
        status: "pending_completion",
        detail: "judged complete",
        worker: "w1",
      }),
    },
  },
  {
    claim: "a stream that stays in the pending index keeps its time of entering",
    before: record({ status: "pending_completion", revision: 4 }),
    seed: {
      ...lease(W1),
      ...stored(record({ status: "pending_completion", revision: 4 }), {
        index: "pending_completion",
        score: 5,
      }),
    },
    write: { from: ["pending_completion"], patch: { status: "s3_completed", etag: "x" } },
    want: {
      ...lease(W1),
      ...stored(record({ status: "s3_completed", etag: "x", revision: 5 }), {
        index: "pending_completion",
        score: 5,
      }),
    },
  },
  {
    claim: "a failed stream keeps path, key, upload and parts, and has no owner",
    before: processing,
    seed: {
      ...lease(W1),
      ...stored(processing),
      "stream:s1:parts": { "1": JSON.stringify(part1) },
      "streams:by_key": taken,
    },
    write: {
      from: ["processing"],
      patch: { status: failed("file_missing"), failure_reason: "file_missing" },
      stats: { failures: 1 },
    },
    want: {
      ...lease(W1),
      ...stored(
        after(processing, { status: failed("file_missing"), failure_reason: "file_missing", owner: null }),
        { index: "failed" },
      ),
      "stream:s1:parts": { "1": JSON.stringify(part1) },
      "streams:by_key": taken,
      [MINUTE_KEY]: { failures: "1", "failures@w1": "1", "failures#src/rec": "1" },
    },
  },
  {
    claim: "a completed stream gives back owner, path and keys and leaves an entry of the file",
    before: record({ status: "s3_completed", s3_key: "a.mkv", revision: 9 }),
    seed: {
      ...lease(W1),
      ...stored(record({ status: "s3_completed", s3_key: "a.mkv", revision: 9 }), {
        index: "pending_completion",
      }),
      "streams:by_key": { ...taken, "bkt/other": "s2" },
    },
    write: {
      from: ["s3_completed"],
      patch: { status: "completed" },
      releasePath: true,
      done,
      stats: { completed: 1 },
    },
    want: {
      ...lease(W1),
      ...stored(after(record({ status: "completed", s3_key: "a.mkv", revision: 9 }), { owner: null }), {
        index: "completed",
        path: false,
      }),
      "streams:by_key": { "bkt/other": "s2" },
      "files:done": { "src:/rec/a.mkv": JSON.stringify(done) },
      [MINUTE_KEY]: { completed: "1", "completed@w1": "1", "completed#src/rec": "1" },
    },
  },
  {
    claim: "without history nothing of the stream stays but the entry of its file",
    before: record({ status: "s3_completed", s3_key: "a.mkv", revision: 9 }),
    seed: {
      ...lease(W1),
      ...stored(record({ status: "s3_completed", s3_key: "a.mkv", revision: 9 }), {
        index: "pending_completion",
      }),
      "stream:s1:parts": { "1": JSON.stringify(part1) },
      "stream:s1:log": [line("opened")],
      "streams:by_key": taken,
    },
    write: { from: ["s3_completed"], patch: { status: "completed" }, done, remove: true, log: ["completed"] },
    want: {
      ...lease(W1),
      "files:done": { "src:/rec/a.mkv": JSON.stringify(done) },
      events: stream({ type: "removed", subject: "s1", at: String(NOW), status: "completed", worker: "w1" }),
    },
  },
  {
    claim: "a stream that starts again forgets upload and parts",
    before: processing,
    seed: { ...lease(W1), ...stored(processing), "stream:s1:parts": { "1": JSON.stringify(part1) } },
    write: {
      from: ["processing", "pending_completion", "failed"],
      patch: { status: "opening", s3_upload_id: null, next_part: 1, bytes_sent: 0 },
      dropParts: true,
    },
    want: { ...lease(W1), ...stored(after(processing, { status: "opening", s3_upload_id: null })) },
  },
  {
    claim: "a key changes hands: the old ones are given back, the new ones taken, in one step",
    before: processing,
    seed: { ...lease(W1), ...stored(processing), "streams:by_key": { ...taken, "bkt/z": "s9" } },
    write: {
      from: ["processing"],
      patch: { s3_key: "a-2.mkv" },
      takeKeys: ["bkt/a-2.mkv", "bkt/a-2.mkv.metadata.json"],
      releaseKeys: ["bkt/a.mkv", "bkt/a.mkv.metadata.json", "bkt/z"],
    },
    want: {
      ...lease(W1),
      ...stored(after(processing, { s3_key: "a-2.mkv" })),
      "streams:by_key": { "bkt/z": "s9", "bkt/a-2.mkv": "s1", "bkt/a-2.mkv.metadata.json": "s1" },
    },
  },
];

describe("a write", () => {
  test.each(rows)("$claim", async ({ before, seed, write, want }) => {
    const schema = harness.fresh();
    await schema.seed(seed);
    const store = new StreamStore(schema, W1);

    expect(await store.write(before, write)).toEqual({ kind: "written" });
    expect(await schema.state()).toEqual(want);

    schema.clock.now += 90_000;
    expect(await store.write(before, write)).toEqual({ kind: "written" });
    expect(await schema.state()).toEqual(want);
  });

  test("carries the bytes of a path that is not UTF-8 unchanged", async () => {
    const schema = harness.fresh();
    const path = "/rec/\udcff\udc80.mkv";
    const bytes = Buffer.from([...Buffer.from("/rec/"), 0xff, 0x80, ...Buffer.from(".mkv")]);
    await schema.seed(lease(W1));
    const store = new StreamStore(schema, W1);
    await store.open({ record: record({ original_path: path }), log: [] });
    expect(await harness.raw.hgetBuffer(schema.keys.streamMeta("s1"), "original_path")).toEqual(bytes);
    const fields = await harness.raw.callBuffer("HKEYS", schema.keys.byPath);
    expect(fields).toEqual([Buffer.concat([Buffer.from("src:"), bytes])]);
    const [claim] = await store.claim([streamId("s1")]);
    expect(claim).toMatchObject({ kind: "claimed", record: { original_path: path } });
  });

  test("R16: sends 10,000 parts in one step", async () => {
    const schema = harness.fresh();
    await schema.seed({ ...lease(W1), ...stored(processing) });
    const store = new StreamStore(schema, W1);
    const parts = Array.from({ length: 10_000 }, (_, at) => ({
      PartNumber: at + 1,
      ETag: `e${at}`,
      Size: 5,
      Offset: at * 5,
    }));
    expect(await store.write(processing, { from: ["processing"], patch: {}, parts })).toEqual({
      kind: "written",
    });
    const read = await store.parts(processing.id);
    expect([...read.values()]).toEqual(parts);
  });

  test("keeps the newest 200 lines of the timeline", async () => {
    const schema = harness.fresh();
    await schema.seed({ ...lease(W1), ...stored(processing) });
    const store = new StreamStore(schema, W1);
    const log = Array.from({ length: 205 }, (_, at) => `line ${at}`);
    await store.write(processing, { from: ["processing"], patch: {}, log });
    const lines = await harness.raw.lrange(schema.keys.streamLog("s1"), 0, -1);
    expect(lines).toHaveLength(200);
    expect(lines[0]).toBe(line("line 204"));
  });

  test("counters of a minute expire after 25 hours", async () => {
    const schema = harness.fresh();
    await schema.seed({ ...lease(W1), ...stored(processing) });
    await new StreamStore(schema, W1).write(processing, {
      from: ["processing"],
      patch: {},
      stats: { parts: 1 },
    });
    const left = await harness.raw.pttl(schema.keys.stats(NOW));
    expect(left).toBeGreaterThan(24 * 3_600_000);
    expect(left).toBeLessThanOrEqual(25 * 3_600_000);
  });
});

describe("a failed stream that lives again", () => {
  const broken = { ...processing, status: failed("file_missing") };
  const retried: StreamWrite = { from: ["failed"], patch: { status: "processing" } };

  test("takes its path back in the same step", async () => {
    const schema = harness.fresh();
    await schema.seed({ ...lease(W1), ...stored(broken, { index: "failed", path: false }) });
    const store = new StreamStore(schema, W1);
    const want: State = { ...lease(W1), ...stored(after(broken, { status: "processing" })) };
    expect(await store.write(broken, retried)).toEqual({ kind: "written" });
    expect(await schema.state()).toEqual(want);
    expect(await store.write(broken, retried)).toEqual({ kind: "written" });
    expect(await schema.state()).toEqual(want);
  });

  test("is refused while another stream lives at its path, and nothing changes", async () => {
    const schema = harness.fresh();
    await schema.seed({
      ...lease(W1),
      ...stored(broken, { index: "failed", path: false }),
      "streams:by_path": { "src:/rec/a.mkv": "s2" },
      "stream:s2:meta": { status: "opening" },
    });
    const state = await schema.state();
    const outcome = await new StreamStore(schema, W1).write(broken, retried);
    expect(outcome).toEqual({ kind: "lost", detail: "stream s2 has its path" });
    expect(await schema.state()).toEqual(state);
  });
});

test("a key held in the name of a stream that is gone is free", async () => {
  const schema = harness.fresh();
  await schema.seed({
    ...lease(W1),
    ...stored(processing),
    "streams:by_key": { "bkt/a": "gone-1", "bkt/b": "gone-2" },
  });
  const outcome = await new StreamStore(schema, W1).write(processing, {
    from: ["processing"],
    patch: { s3_key: "a" },
    takeKeys: ["bkt/a", "bkt/b"],
  });
  expect(outcome).toEqual({ kind: "written" });
  expect((await schema.state())["streams:by_key"]).toEqual({ "bkt/a": "s1", "bkt/b": "s1" });
});

describe("a rename", () => {
  const write: StreamWrite = { from: ["processing"], patch: {}, log: ["renamed"] };

  test("moves record and path together, and sent twice changes nothing", async () => {
    const schema = harness.fresh();
    await schema.seed({ ...lease(W1), ...stored(processing) });
    const store = new StreamStore(schema, W1);
    const want: State = {
      ...lease(W1),
      ...stored(after(processing, { original_path: "/rec/b.mkv" })),
      "stream:s1:log": [line("renamed")],
    };
    expect(await store.rename(processing, "/rec/b.mkv", write)).toEqual({ kind: "written" });
    expect(await schema.state()).toEqual(want);
    expect(await store.rename(processing, "/rec/b.mkv", write)).toEqual({ kind: "written" });
    expect(await schema.state()).toEqual(want);
  });

  test("is refused where another stream stands, and nothing changes", async () => {
    const schema = harness.fresh();
    await schema.seed({
      ...lease(W1),
      ...stored(processing),
      "streams:by_path": { "src:/rec/a.mkv": "s1", "src:/rec/b.mkv": "s2" },
      "stream:s2:meta": { status: "opening" },
      "streams:active": zset({ s1: NOW, s2: NOW }),
    });
    const state = await schema.state();
    const outcome = await new StreamStore(schema, W1).rename(processing, "/rec/b.mkv", write);
    expect(outcome).toEqual({ kind: "path_taken", by: "s2" });
    expect(await schema.state()).toEqual(state);
  });

  test("D2a: takes the path of a stream whose file has left it, which takes its own next", async () => {
    const schema = harness.fresh();
    const other: StreamRecord = { ...processing, id: streamId("s2"), original_path: "/rec/b.mkv" };
    await schema.seed({
      ...lease(W1),
      ...stored(processing),
      "stream:s2:meta": Object.fromEntries(
        Object.entries(stored(other)["stream:s2:meta"] ?? {}).filter(([field]) => field !== "s3_key"),
      ),
      "streams:by_path": { "src:/rec/a.mkv": "s1", "src:/rec/b.mkv": "s2" },
      "streams:active": zset({ s1: NOW, s2: NOW }),
    });
    const store = new StreamStore(schema, W1);
    const paths = async () => (await schema.state())["streams:by_path"];
    expect(await store.rename(processing, "/rec/b.mkv", { ...write, displaces: other.id })).toEqual({
      kind: "written",
    });
    expect(await paths()).toEqual({ "src:/rec/b.mkv": "s1" });
    expect(await store.rename(other, "/rec/a.mkv", write)).toEqual({ kind: "written" });
    expect(await paths()).toEqual({ "src:/rec/a.mkv": "s2", "src:/rec/b.mkv": "s1" });
  });
});
