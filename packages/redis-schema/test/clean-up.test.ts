/** Purge, history, index repair and conversion: each from whole state to whole state, and twice. */
import { failed, streamId } from "@sluice/core";
import {
  convertIndexes,
  failBroken,
  loadStreams,
  pruneHistory,
  purgeStream,
  purgeStreams,
  repairIndexes,
  type PurgeRequest,
} from "@sluice/redis-schema";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  after,
  lease,
  line,
  NOW,
  NOW_UTC,
  plainSet,
  record,
  startHarness,
  stored,
  stream,
  text,
  W1,
  W2,
  zset,
  type Harness,
  type Schema,
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
      events: stream(removed("purged")),
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

  test("leaves a stream that was retried and failed again after it was read", async () => {
    const schema = harness.fresh();
    await schema.seed(failedState);
    const [asRead] = (await Array.fromAsync(loadStreams(schema, ["s1"], { parts: false }))).flat();
    if (!asRead) throw new Error("s1 was seeded");
    await harness.raw.hset(schema.keys.streamMeta("s1"), { fence: "2", revision: "5", s3_upload_id: "up2" });
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

describe("index repair", () => {
  async function repaired(schema: Schema, ids: string[]): Promise<string[]> {
    return (await repairIndexes(schema, ids)).map(({ kind }) => kind);
  }

  test("moves each stream to the one index its status belongs to; twice changes nothing", async () => {
    const schema = harness.fresh();
    const meta = (status: string) => ({ status });
    await schema.seed({
      "stream:a:meta": meta("processing"),
      "stream:b:meta": meta("completed"),
      "stream:c:meta": meta("failed_file_missing"),
      "stream:d:meta": meta("s3_completed"),
      "stream:e:meta": { original_path: "/x" },
      "stream:f:meta": meta("failed_unknown"),
      "stream:g:meta": meta("opening"),
      "streams:active": zset({ a: 1, b: 2, c: 3, d: 4, g: 7 }),
      "streams:pending_completion": zset({ a: 1, d: 4, f: 6 }),
    });
    const ids = ["a", "b", "c", "d", "e", "f", "g"];
    expect(await repaired(schema, ids)).toEqual([
      "moved",
      "moved",
      "moved",
      "moved",
      "moved",
      "moved",
      "right",
    ]);
    const state = await schema.state();
    expect(state).toMatchObject({
      "streams:active": zset({ a: 1, e: NOW, g: 7 }),
      "streams:pending_completion": zset({ d: 4 }),
      "streams:failed": zset({ c: NOW, f: NOW }),
      "streams:completed": zset({ b: NOW }),
    });
    schema.clock.now += 5;
    expect(await repaired(schema, ids)).toEqual(ids.map(() => "right"));
    expect(await schema.state()).toEqual(state);
  });

  test("says what it cannot place and leaves it where it is", async () => {
    const schema = harness.fresh();
    await schema.seed({
      "stream:odd:meta": { status: "frozen" },
      "stream:text:meta": text("x"),
      "streams:active": zset({ odd: 1, text: 2, ghost: 3 }),
    });
    const state = await schema.state();
    expect(await repairIndexes(schema, ["odd", "text", "ghost"])).toEqual([
      { id: "odd", kind: "unknown", status: "frozen" },
      { id: "text", kind: "foreign", type: "string" },
      { id: "ghost", kind: "missing" },
    ]);
    expect(await schema.state()).toEqual(state);
  });
});

describe("a broken record", () => {
  const half = {
    status: "processing",
    original_path: "/rec/a",
    owner: "w9",
    fence: "2",
    revision: "3",
    s3_upload_id: "u",
  };

  test("becomes a failed stream with everything kept; twice changes nothing", async () => {
    const schema = harness.fresh();
    await schema.seed({ ...lease(W1), "stream:s1:meta": half, "streams:active": zset({ s1: 1 }) });
    const request = {
      id: "s1",
      raw: half,
      reason: "incomplete_metadata",
      detail: "s3_bucket is missing",
    } as const;
    const detail = "s3_bucket is missing (it was processing)";
    const { owner: _, ...kept } = half;
    const want: State = {
      ...lease(W1),
      "stream:s1:meta": {
        ...kept,
        status: "failed_incomplete_metadata",
        failure_reason: "incomplete_metadata",
        failure_detail: detail,
        last_activity_at_utc: NOW_UTC,
      },
      "stream:s1:log": [line(detail)],
      "streams:failed": zset({ s1: NOW }),
      events: stream({
        type: "state",
        subject: "s1",
        at: String(NOW),
        status: "failed_incomplete_metadata",
        detail,
        worker: "w1",
      }),
    };
    expect(await failBroken(schema, W1, request)).toEqual({ kind: "marked" });
    expect(await schema.state()).toEqual(want);
    schema.clock.now += 5;
    expect(await failBroken(schema, W1, request)).toEqual({ kind: "already" });
    expect(await schema.state()).toEqual(want);
  });

  test("of an id without any record becomes visible", async () => {
    const schema = harness.fresh();
    await schema.seed({ ...lease(W1), "streams:active": zset({ ghost: 1 }) });
    const request = {
      id: "ghost",
      raw: {},
      reason: "incomplete_metadata",
      detail: "nothing is stored",
    } as const;
    expect(await failBroken(schema, W1, request)).toEqual({ kind: "marked" });
    const state = await schema.state();
    expect(state["stream:ghost:meta"]).toMatchObject({
      status: "failed_incomplete_metadata",
      schema_version: "1",
    });
    expect(state["streams:failed"]).toEqual(zset({ ghost: NOW }));
    expect(state["streams:active"]).toBeUndefined();
  });

  test("that is no hash is shown by its id and not written", async () => {
    const schema = harness.fresh();
    await schema.seed({
      ...lease(W1),
      "stream:odd:meta": text("theirs"),
      "streams:active": zset({ odd: 1 }),
    });
    const request = { id: "odd", raw: {}, reason: "corrupt_record", detail: "no hash" } as const;
    expect(await failBroken(schema, W1, request)).toEqual({ kind: "marked" });
    expect(await failBroken(schema, W1, request)).toEqual({ kind: "already" });
    const state = await schema.state();
    expect(state["stream:odd:meta"]).toEqual(text("theirs"));
    expect(state["streams:failed"]).toEqual(zset({ odd: NOW }));
  });

  test("is left alone when it changed since, or a living worker holds it", async () => {
    const schema = harness.fresh();
    await schema.seed({
      ...lease(W1),
      "worker:w9": { nonce: "n9" },
      "stream:s1:meta": half,
      "streams:active": zset({ s1: 1 }),
    });
    const state = await schema.state();
    const request = { id: "s1", raw: half, reason: "corrupt_record", detail: "x" } as const;
    expect(await failBroken(schema, W1, request)).toEqual({ kind: "held", by: "w9" });
    expect(await failBroken(schema, W1, { ...request, raw: { ...half, revision: "2" } })).toEqual({
      kind: "changed",
    });
    expect(await schema.state()).toEqual(state);
    expect(await failBroken(schema, W1, request, ["n9"])).toEqual({ kind: "marked" });
  });

  test("cannot be failed by a worker without a lease", async () => {
    const schema = harness.fresh();
    await schema.seed({ ...lease(W2), "stream:s1:meta": half });
    await expect(
      failBroken(schema, W1, { id: "s1", raw: half, reason: "corrupt_record", detail: "x" }),
    ).rejects.toThrow("lease");
  });
});

describe("indexes of an earlier phase", () => {
  test("become sorted sets with the same ids; twice changes nothing", async () => {
    const schema = harness.fresh();
    const many = Array.from({ length: 9_000 }, (_, at) => `id-${at}`);
    await schema.seed({ "streams:active": plainSet(...many), "streams:failed": zset({ f: 3 }) });
    expect(await convertIndexes(schema)).toEqual([
      { index: "active", kind: "converted", ids: 9_000 },
      { index: "pending_completion", kind: "kept" },
      { index: "failed", kind: "kept" },
      { index: "completed", kind: "kept" },
    ]);
    const state = await schema.state();
    expect(state).toEqual({
      "streams:active": zset(Object.fromEntries(many.map((id) => [id, NOW]))),
      "streams:failed": zset({ f: 3 }),
    });
    expect((await convertIndexes(schema)).every(({ kind }) => kind === "kept")).toBe(true);
    expect(await schema.state()).toEqual(state);
  });

  test("that are neither are named and left alone", async () => {
    const schema = harness.fresh();
    await schema.seed({ "streams:completed": text("theirs") });
    expect((await convertIndexes(schema)).at(-1)).toEqual({
      index: "completed",
      kind: "foreign",
      type: "string",
    });
    expect(await schema.state()).toEqual({ "streams:completed": text("theirs") });
  });
});
