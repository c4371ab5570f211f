/** Opening a stream, alone or in the place of another: each row from whole state to whole state, twice. */
import { failed, streamId, type DoneEntry, type StreamWrite } from "@sluice/core";
import { StreamStore } from "@sluice/redis-schema";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  after,
  lease,
  line,
  NOW,
  NOW_UTC,
  record,
  startHarness,
  stored,
  stream,
  W1,
  W2,
  zset,
  type Harness,
  type State,
} from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const fresh = record();
const openedEvent = (id: string, detail = "found") => ({
  type: "opened",
  subject: id,
  at: String(NOW),
  status: "opening",
  detail,
  worker: "w1",
});

describe("open", () => {
  test("creates record, path, index, timeline and event in one step; sent twice changes nothing", async () => {
    const schema = harness.fresh();
    await schema.seed(lease(W1));
    const store = new StreamStore(schema, W1);
    const want: State = {
      ...lease(W1),
      ...stored(fresh),
      "stream:s1:log": [line("found")],
      events: stream(openedEvent("s1")),
    };
    expect(await store.open({ record: fresh, log: ["found"] })).toEqual({ kind: "opened" });
    expect(await schema.state()).toEqual(want);
    schema.clock.now += 90_000;
    expect(await store.open({ record: fresh, log: ["found"] })).toEqual({ kind: "opened" });
    expect(await schema.state()).toEqual(want);
  });

  test("is refused where the path has a stream, and nothing changes", async () => {
    const schema = harness.fresh();
    await schema.seed({
      ...lease(W1),
      ...stored(record({ id: streamId("s0"), status: failed("file_missing") })),
    });
    const state = await schema.state();
    const outcome = await new StreamStore(schema, W1).open({ record: fresh, log: [] });
    expect(outcome).toEqual({ kind: "taken", by: "s0" });
    expect(await schema.state()).toEqual(state);
  });

  test("takes over a path that is held in the name of a stream that is gone", async () => {
    const schema = harness.fresh();
    await schema.seed({ ...lease(W1), "streams:by_path": { "src:/rec/a.mkv": "gone" } });
    expect(await new StreamStore(schema, W1).open({ record: fresh, log: [] })).toEqual({ kind: "opened" });
    expect((await schema.state())["streams:by_path"]).toEqual({ "src:/rec/a.mkv": "s1" });
  });

  test("never writes over a record that is there under the same id", async () => {
    const schema = harness.fresh();
    await schema.seed({ ...lease(W1), "stream:s1:meta": { status: "processing" } });
    const state = await schema.state();
    const outcome = await new StreamStore(schema, W1).open({ record: fresh, log: [] });
    expect(outcome).toEqual({ kind: "lost", detail: "its id is in use" });
    expect(await schema.state()).toEqual(state);
  });

  test("R10: is refused to a worker whose id another process holds", async () => {
    const schema = harness.fresh();
    await schema.seed({ "worker:w1": { nonce: "other" } });
    const outcome = await new StreamStore(schema, W1).open({ record: fresh, log: [] });
    expect(outcome).toEqual({ kind: "lost", detail: "another process runs under this worker id" });
    expect(Object.keys(await schema.state())).toEqual(["worker:w1"]);
  });

  test("of two workers that find the same file at once exactly one opens a stream", async () => {
    const schema = harness.fresh();
    await schema.seed({ ...lease(W1), ...lease(W2) });
    const outcomes = await Promise.all([
      new StreamStore(schema, W1).open({ record: fresh, log: [] }),
      new StreamStore(schema, W2).open({ record: record({ id: streamId("s2"), owner: "w2" }), log: [] }),
    ]);
    expect(outcomes.map(({ kind }) => kind).toSorted()).toEqual(["opened", "taken"]);
  });

  test("is refused where another worker completed the file meanwhile, and goes through for who knows of it", async () => {
    const schema = harness.fresh();
    const entry: DoneEntry = {
      stream_id: "s0",
      file_inode: "42",
      file_size: 9,
      file_mtime_ns: "1",
      s3_bucket: "bkt",
      s3_key: "a.mkv",
      completed_at_utc: NOW_UTC,
    };
    const field = `${fresh.source}:${fresh.original_path}`;
    await schema.seed({ ...lease(W1), "files:done": { [field]: JSON.stringify(entry) } });
    const state = await schema.state();
    const store = new StreamStore(schema, W1);
    for (const knownDone of ["", "s9"]) {
      expect(await store.open({ record: fresh, log: [], knownDone })).toEqual({ kind: "done", entry });
    }
    expect(await schema.state()).toEqual(state);
    expect(await store.open({ record: fresh, log: [], knownDone: "s0" })).toEqual({ kind: "opened" });
  });

  test.each(["not json", '"text"', '{"stream_id":"s0"}'])(
    "goes through where the entry of the completed file cannot be read: %s",
    async (text) => {
      const schema = harness.fresh();
      const field = `${fresh.source}:${fresh.original_path}`;
      await schema.seed({ ...lease(W1), "files:done": { [field]: text } });
      const opened = await new StreamStore(schema, W1).open({ record: fresh, log: [], knownDone: "" });
      expect(opened).toEqual({ kind: "opened" });
    },
  );
});

describe("open in the place of another stream", () => {
  const old = record({
    id: streamId("s0"),
    status: "processing",
    s3_key: "a.mkv",
    s3_upload_id: "up0",
    revision: 3,
  });
  const next = record({ supersedes: "s0" });
  const write: StreamWrite = {
    from: ["processing"],
    patch: { status: failed("file_replaced"), failure_reason: "file_replaced", superseded_by: "s1" },
    releasePath: true,
    releaseKeys: ["bkt/a.mkv", "bkt/a.mkv.metadata.json"],
    log: ["another file took its path"],
    event: { type: "state", detail: "file_replaced" },
    stats: { failures: 1 },
  };
  const seedState: State = {
    ...lease(W1),
    ...stored(old),
    "streams:by_key": { "bkt/a.mkv": "s0", "bkt/a.mkv.metadata.json": "s0" },
  };
  const ended = after(old, {
    status: failed("file_replaced"),
    failure_reason: "file_replaced",
    superseded_by: "s1",
    owner: null,
  });
  const want: State = {
    ...lease(W1),
    ...stored(ended, { index: "failed", path: false }),
    ...stored(next),
    "stream:s0:log": [line("another file took its path")],
    "stream:s1:log": [line("found")],
    "stats:202611241020": { failures: "1", "failures@w1": "1", "failures#src/rec": "1" },
    events: stream(
      {
        type: "state",
        subject: "s0",
        at: String(NOW),
        status: "failed_file_replaced",
        detail: "file_replaced",
        worker: "w1",
      },
      openedEvent("s1"),
    ),
  };

  test("ends the old one and begins the new one in one step; sent twice changes nothing", async () => {
    const schema = harness.fresh();
    await schema.seed(seedState);
    const store = new StreamStore(schema, W1);
    const request = { record: next, log: ["found"], replacing: { record: old, write } };
    expect(await store.open(request)).toEqual({ kind: "opened" });
    expect(await schema.state()).toEqual(want);
    schema.clock.now += 90_000;
    expect(await store.open(request)).toEqual({ kind: "opened" });
    expect(await schema.state()).toEqual(want);
  });

  test("removes an old one that never sent anything", async () => {
    const schema = harness.fresh();
    await schema.seed({ ...lease(W1), ...stored(record({ id: streamId("s0") })) });
    const outcome = await new StreamStore(schema, W1).open({
      record: next,
      log: [],
      replacing: {
        record: record({ id: streamId("s0") }),
        write: { from: ["opening"], patch: {}, remove: true },
      },
    });
    expect(outcome).toEqual({ kind: "opened" });
    const { events, ...state } = await schema.state();
    expect(state).toEqual({ ...lease(W1), ...stored(next) });
    expect(events).toEqual(
      stream(
        { type: "removed", subject: "s0", at: String(NOW), status: "opening", worker: "w1" },
        { type: "opened", subject: "s1", at: String(NOW), status: "opening", worker: "w1" },
      ),
    );
  });

  test.each([
    [
      "its write is refused",
      { ...old, revision: 2 },
      write,
      { kind: "lost", detail: "another write came first (revision 3)" },
    ],
    ["it keeps its path", old, { ...write, releasePath: false }, { kind: "taken", by: "s0" }],
    ["another worker owns it", { ...old, owner: "w2" }, write, { kind: "lost", detail: "it belongs to w2" }],
  ])("changes nothing of either when %s", async (_, before, oldWrite, outcome) => {
    const schema = harness.fresh();
    await schema.seed(seedState);
    const state = await schema.state();
    const store = new StreamStore(schema, W1);
    expect(
      await store.open({ record: next, log: [], replacing: { record: before, write: oldWrite } }),
    ).toEqual(outcome);
    expect(await schema.state()).toEqual(state);
  });
});

test("an index holds what it held before", async () => {
  const schema = harness.fresh();
  await schema.seed({ ...lease(W1), "streams:active": zset({ other: 1 }) });
  await new StreamStore(schema, W1).open({ record: fresh, log: [] });
  expect((await schema.state())["streams:active"]).toEqual(zset({ other: 1, s1: NOW }));
});
