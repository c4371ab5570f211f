/** Retention that ends in deletion, with the real janitor and a real Redis: a clock that was set deletes nothing. */
import { newStream } from "@sluice/core/testing";
import type { ObjectStore } from "@sluice/core";
import { OrphanStore, StreamStore, WorkerRegistry } from "@sluice/redis-schema";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startHarness, workerRecord, W1, type Harness } from "../../../packages/redis-schema/test/harness.ts";
import { tidyUp, type JanitorDeps } from "../src/streams/janitor.ts";

const DAY = 86_400_000;
const RETENTION = 7 * DAY;

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

/** A completed stream and a superseded one with its upload, both from now; and a janitor with clocks of one's own. */
async function twoEnded() {
  const schema = harness.fresh();
  schema.clock.now = Date.now();
  await new WorkerRegistry(schema).renew(W1.workerId, workerRecord());
  const store = new StreamStore(schema, W1);
  const now = new Date(schema.clock.now).toISOString();
  const done = { ...newStream(), owner: W1.workerId };
  await store.open({ record: done, log: [] });
  const ended = { releasePath: true, from: ["opening"] } as const;
  await store.write(done, { ...ended, patch: { status: "completed", completed_at_utc: now } });
  const replaced = { ...done, id: "s2" as typeof done.id };
  await store.open({ record: replaced, log: [] });
  await store.write(replaced, {
    ...ended,
    patch: {
      status: "failed_file_replaced",
      superseded_by: "s3",
      s3_key: "k",
      s3_upload_id: "u",
      last_activity_at_utc: now,
    },
  });
  const aborted: string[] = [];
  const objects: Partial<ObjectStore> = {
    clockSkewMs: 0,
    abort: ({ uploadId }) => Promise.resolve(void aborted.push(uploadId)),
  };
  let [setBy, passed] = [0, 0];
  const began = Date.now();
  const deps = (over: Partial<JanitorDeps> = {}): JanitorDeps => ({
    context: schema,
    store: objects as ObjectStore,
    orphans: new OrphanStore(schema),
    streams: store,
    hold: (id) => ({ has: (one) => one === id, [Symbol.dispose]: () => undefined }),
    workerId: W1.workerId,
    bucket: replaced.s3_bucket,
    historyMs: RETENTION,
    failedUploadRetentionMs: RETENTION,
    clock: { wallMs: () => began + setBy + passed },
    steadyMs: () => began + passed,
    confirmRedis: () => Promise.resolve(),
    locked: () => false,
    log: { info: () => undefined, warn: () => undefined },
    ...over,
  });
  return {
    aborted,
    store,
    deps,
    setClock: (ms: number) => void (setBy = ms),
    pass: (ms: number) => void (passed = ms),
    record: () => harness.raw.hgetall(schema.keys.streamMeta(replaced.id)),
    left: () => harness.raw.zrange(schema.keys.index("completed"), "0", "-1"),
  };
}

it("D7f: a clock that was set forward by eight days ends neither history nor the upload of a superseded stream", async () => {
  const { deps, setClock, left, aborted } = await twoEnded();
  setClock(8 * DAY);
  await tidyUp(deps());
  expect([await left(), aborted]).toEqual([["s1"], []]);
});

it("D7f: eight days of which only this host knows are confirmed by nobody", async () => {
  const { deps, pass, left, aborted } = await twoEnded();
  pass(8 * DAY);
  await tidyUp(deps());
  expect([await left(), aborted]).toEqual([["s1"], []]);
});

it("D7f: what is due by every clock goes; not while Redis turns out to be older than it was", async () => {
  const { deps, left, aborted } = await twoEnded();
  const due = { historyMs: -60_000, failedUploadRetentionMs: -60_000 };
  let older = false;
  const confirmRedis = () => Promise.resolve(void (older = true));
  await tidyUp(deps({ ...due, confirmRedis, locked: () => older }));
  expect([await left(), aborted]).toEqual([["s1"], []]);
  await tidyUp(deps(due));
  expect([await left(), aborted]).toEqual([[], ["u"]]);
});

it("the record of a stream whose upload has ended names it no longer: no copy is shown, no later round aborts it again", async () => {
  const { deps, aborted, record } = await twoEnded();
  const due = { failedUploadRetentionMs: -60_000 };
  await tidyUp(deps(due));
  const { s3_upload_id: upload, bytes_sent: sent, status, owner, superseded_by: by } = await record();
  expect({ upload, sent, status, owner, by }).toEqual({
    upload: undefined,
    sent: "0",
    status: "failed_file_replaced",
    owner: undefined,
    by: "s3",
  });
  await tidyUp(deps(due));
  expect(aborted).toEqual(["u"]);
});

it("an only copy that the store ends is said in the log once, from half of the upload's life on", async () => {
  const { deps, store } = await twoEnded();
  const iso = (ms: number) => new Date(Date.now() + ms).toISOString();
  const missing = { ...newStream(), id: "s4" as ReturnType<typeof newStream>["id"], owner: W1.workerId };
  await store.open({ record: missing, log: [] });
  await store.write(missing, {
    from: ["opening"],
    releasePath: true,
    patch: {
      status: "failed_file_missing",
      failure_reason: "file_missing",
      source_state: "missing",
      s3_key: "k4",
      s3_upload_id: "u4",
      create_intent_at_utc: iso(-4 * DAY),
      upload_aborts_at_utc: iso(3 * DAY),
    },
  });
  const said: object[] = [];
  const log = { info: () => undefined, warn: (fields: object) => void said.push(fields) };
  await tidyUp(deps({ log }));
  await tidyUp(deps({ log }));
  expect(said).toMatchObject([{ stream_id: "s4", upload_id: "u4", by: "store" }]);
});

it("a stream that somebody holds keeps its upload's id until a later round", async () => {
  const { deps, record } = await twoEnded();
  const due = { failedUploadRetentionMs: -60_000 };
  await tidyUp(deps({ ...due, hold: () => ({ has: () => false, [Symbol.dispose]: () => undefined }) }));
  expect((await record())["s3_upload_id"]).toBe("u");
  await tidyUp(deps(due));
  expect(await record()).not.toHaveProperty("s3_upload_id");
});
