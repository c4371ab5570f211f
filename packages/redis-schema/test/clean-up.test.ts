/** Purge and history: each from whole state to whole state, and twice. */
import { failed, streamId } from "@sluice/core";
import {
  loadStreams,
  OrphanStore,
  pruneHistory,
  purgeStream,
  purgeStreams,
  type PurgeRequest,
} from "@sluice/redis-schema";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  after,
  line,
  NOW,
  NOW_UTC,
  record,
  startHarness,
  stored,
  stream,
  text,
  zset,
  type Harness,
  type State,
} from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const broken = after(
  record({
    status: failed("file_missing"),
    failure_reason: "file_missing",
    source_state: "missing",
    s3_key: "a.mkv",
    s3_upload_id: "up1",
  }),
  { owner: null },
);
const failedState: State = {
  ...stored(broken, { index: "failed", score: 5 }),
  "stream:s1:parts": { "1": "{}" },
  "stream:s1:log": [line("failed")],
  "streams:by_key": { "bkt/a.mkv": "s1", "bkt/a.mkv.metadata.json": "s1", "bkt/b.mkv": "s2" },
};
const purge: PurgeRequest = { who: "ann", reason: "not needed", upload: "abort", ignoreFile: true };
const removed = (detail = "not needed") => ({
  type: "removed",
  subject: "s1",
  at: String(NOW),
  status: "failed_file_missing",
  detail,
  worker: "ann",
});
const mark = {
  stream_id: "s1",
  who: "ann",
  at_utc: NOW_UTC,
  file_inode: "11",
  file_birthtime_ns: "1700000000000000001",
  file_mtime_ns: "1700000000000000002",
  file_size: 10,
  reason: "not needed",
};
const toAbort = {
  s3_upload_id: "up1",
  s3_bucket: "bkt",
  s3_key: "a.mkv",
  s3_key_prefix: "",
  stream_id: "s1",
  source: "src",
  who: "ann",
  at_utc: NOW_UTC,
};

describe("a purge", () => {
  test("removes the records, leaves the upload to a worker and a mark on the file; twice changes nothing", async () => {
    const schema = harness.fresh();
    await schema.seed(failedState);
    const want: State = {
      "streams:by_key": { "bkt/b.mkv": "s2" },
      "uploads:to_abort": { up1: JSON.stringify(toAbort) },
      "files:ignored": { "src:/rec/a.mkv": JSON.stringify(mark) },
      events: stream(removed()),
    };
    expect(await purgeStreams(schema, ["s1"], purge)).toEqual([
      { id: "s1", kind: "purged", upload: "to_abort" },
    ]);
    expect(await schema.state()).toEqual(want);
    expect(await purgeStreams(schema, ["s1"], purge)).toEqual([{ id: "s1", kind: "absent" }]);
    expect(await schema.state()).toEqual(want);
  });

  test("keeps the upload and leaves no mark when asked to", async () => {
    const schema = harness.fresh();
    await schema.seed(failedState);
    const outcome = await purgeStreams(schema, ["s1"], { who: "ann", upload: "keep", ignoreFile: false });
    expect(outcome).toEqual([{ id: "s1", kind: "purged", upload: "kept" }]);
    expect(await schema.state()).toEqual({
      "streams:by_key": { "bkt/b.mkv": "s2" },
      orphans: { up1: expect.any(String) },
      events: stream(removed("purged")),
    });
    expect(await new OrphanStore(schema).orphan("up1")).toMatchObject({
      s3_key: "a.mkv",
      original_path: "/rec/a.mkv",
      verdict: "only_copy",
      because: "a purge kept it, and its file is missing (stream s1)",
      bytes: broken.bytes_sent,
    });
  });

  test("marks no file that another stream stands for now", async () => {
    const schema = harness.fresh();
    await schema.seed({ ...failedState, "streams:by_path": { "src:/rec/a.mkv": "s2" } });
    await purgeStreams(schema, ["s1"], purge);
    const state = await schema.state();
    expect(state["files:ignored"]).toBeUndefined();
    expect(state["streams:by_path"]).toEqual({ "src:/rec/a.mkv": "s2" });
  });

  test.each(["opening", "processing", "pending_completion", "s3_completed", "completed"] as const)(
    "refuses a stream in %s and changes nothing",
    async (status) => {
      const schema = harness.fresh();
      await schema.seed(stored(record({ status, s3_upload_id: "u" })));
      const state = await schema.state();
      expect(await purgeStreams(schema, ["s1"], purge)).toEqual([{ id: "s1", kind: "refused", status }]);
      expect(await schema.state()).toEqual(state);
    },
  );

  test("refuses a founding record without a status: it is being processed", async () => {
    const schema = harness.fresh();
    await schema.seed({
      "stream:s1:meta": { original_path: "/a", s3_bucket: "b", s3_upload_id: "u" },
      "streams:failed": zset({ s1: 1 }),
    });
    const state = await schema.state();
    expect(await purgeStreams(schema, ["s1"], purge)).toEqual([{ id: "s1", kind: "refused", status: "" }]);
    expect(await schema.state()).toEqual(state);
  });

  test.each([
    { fence: "2", owner: "w1" },
    { revision: "5", s3_upload_id: "up2" },
    { status: "failed_verify_mismatch" },
  ])("leaves a stream that changed after it was read: %j", async (change) => {
    const schema = harness.fresh();
    await schema.seed(failedState);
    const [asRead] = (await Array.fromAsync(loadStreams(schema, ["s1"], { parts: false }))).flat();
    if (!asRead) throw new Error("s1 was seeded");
    await harness.raw.hset(schema.keys.streamMeta("s1"), change);
    const state = await schema.state();
    expect(await purgeStream(schema, asRead, purge)).toEqual({ id: "s1", kind: "changed" });
    expect(await schema.state()).toEqual(state);
  });

  test("removes a failed stream of an earlier phase, whatever its reason", async () => {
    const schema = harness.fresh();
    await schema.seed({
      "stream:old:meta": {
        status: "failed_unknown",
        original_path: "/rec/o",
        s3_bucket: "bkt",
        s3_key_prefix: "p/",
        s3_upload_id: "u",
      },
      "streams:failed": zset({ old: 1 }),
    });
    expect(await purgeStreams(schema, ["old"], purge)).toEqual([
      { id: "old", kind: "purged", upload: "to_abort" },
    ]);
    const state = await schema.state();
    expect(Object.keys(state)).toEqual(["events", "uploads:to_abort"]);
    expect(state["uploads:to_abort"]).toEqual({
      u: JSON.stringify({
        s3_upload_id: "u",
        s3_bucket: "bkt",
        s3_key_prefix: "p/",
        stream_id: "old",
        who: "ann",
        at_utc: NOW_UTC,
      }),
    });
  });

  test("takes an id without any record out of the failed index", async () => {
    const schema = harness.fresh();
    await schema.seed({ "streams:failed": zset({ ghost: 1, other: 2 }) });
    expect(await purgeStreams(schema, ["ghost"], purge)).toEqual([
      { id: "ghost", kind: "purged", upload: "none" },
    ]);
    expect((await schema.state())["streams:failed"]).toEqual(zset({ other: 2 }));
  });

  test("leaves a key of another type under the stream's name to whoever made it", async () => {
    const schema = harness.fresh();
    await schema.seed({ "stream:odd:meta": text("theirs"), "streams:failed": zset({ odd: 1 }) });
    expect(await purgeStreams(schema, ["odd"], purge)).toEqual([
      { id: "odd", kind: "purged", upload: "none" },
    ]);
    const state = await schema.state();
    expect(state["stream:odd:meta"]).toEqual(text("theirs"));
    expect(state["streams:failed"]).toBeUndefined();
  });

  test("of many goes on past those that are refused", async () => {
    const schema = harness.fresh();
    await schema.seed({ ...failedState, ...stored(record({ id: streamId("live") })) });
    const outcomes = await purgeStreams(schema, ["live", "s1", "nowhere"], purge);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["refused", "purged", "absent"]);
  });
});

describe("history", () => {
  test("goes when it is older than the cutoff, at most so many at a time", async () => {
    const schema = harness.fresh();
    const completed = (id: string) =>
      after(record({ id: streamId(id), status: "completed" }), { owner: null });
    for (const id of ["c1", "c2", "c3", "c4"])
      await schema.seed(stored(completed(id), { index: "completed", path: false }));
    await schema.seed({
      "streams:completed": zset({ c1: 10, c2: 20, c3: 30, c4: 40 }),
      "stream:c1:log": [line("x")],
    });
    expect(await pruneHistory(schema, 30, 2)).toBe(2);
    expect((await schema.state())["streams:completed"]).toEqual(zset({ c3: 30, c4: 40 }));
    expect(await pruneHistory(schema, 30, 2)).toBe(1);
    expect(await pruneHistory(schema, 30, 2)).toBe(0);
    const { events: _, ...state } = await schema.state();
    expect(state).toEqual(stored(completed("c4"), { index: "completed", score: 40, path: false }));
  });

  test("never takes a stream that is not completed, wherever it stands", async () => {
    const schema = harness.fresh();
    await schema.seed(stored(record({ status: "processing" }), { index: "completed", score: 1 }));
    const state = await schema.state();
    expect(await pruneHistory(schema, 30, 10)).toBe(0);
    expect(await schema.state()).toEqual(state);
  });
});
