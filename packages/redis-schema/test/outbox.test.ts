/** What webhooks tell is written with the change it tells, or not at all; one process at a time delivers it. */
import { failed, streamId, type StreamRecord } from "@sluice/core";
import { failBroken, KEPT, Outbox, StreamStore } from "@sluice/redis-schema";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  lease,
  NOW,
  NOW_UTC,
  record,
  startHarness,
  stored,
  W1,
  W2,
  zset,
  type Harness,
  type Schema,
} from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const sealed = record({
  status: "pending_completion",
  s3_key: "a.mkv",
  revision: 4,
  file_size: 7,
  etag: "e",
});
const completion = {
  from: ["pending_completion" as const],
  patch: { status: "s3_completed" as const, sealed_at_utc: NOW_UTC },
};
const ALL = ["completed", "failed", "stalled"] as const;

const telling = (schema: Schema, told: readonly (typeof ALL)[number][] = ALL) =>
  new StreamStore(schema, W1, undefined, told);

async function told(schema: Schema) {
  const waiting = await new Outbox(schema, W1).page(100);
  return waiting.map(({ message }) => ({ ...message, body: JSON.parse(message?.body ?? "null") as unknown }));
}

async function holding(of: StreamRecord): Promise<Schema> {
  const schema = harness.fresh();
  await schema.seed({ ...lease(W1), ...stored(of) });
  return schema;
}

test("a completion and what tells it are one step, once, under the names of the record", async () => {
  const schema = await holding(sealed);
  const store = telling(schema);
  for (const _ of ["sent", "sent again"])
    expect(await store.write(sealed, completion)).toEqual({ kind: "written" });
  expect(await told(schema)).toEqual([
    {
      id: expect.stringMatching(/^msg_[\w-]{24}$/) as string,
      event: "completed",
      subject: "s1",
      at: NOW,
      body: {
        type: "stream.completed",
        timestamp: NOW_UTC,
        data: expect.objectContaining({
          id: "s1",
          original_path: "/rec/a.mkv",
          s3_key: "a.mkv",
          status: "s3_completed",
          file_size: 7,
          etag: "e",
          sealed_at_utc: NOW_UTC,
        }) as object,
      },
    },
  ]);
});

test("what becomes of the record after the completion is not told again", async () => {
  const schema = await holding({ ...sealed, status: "s3_completed" });
  const patch = { status: "completed" as const, completed_at_utc: NOW_UTC };
  await telling(schema).write(
    { ...sealed, status: "s3_completed" },
    { from: ["s3_completed"], patch, remove: true },
  );
  expect(await told(schema)).toEqual([]);
});

test("a write that is refused tells nothing, nor does one of a worker without webhooks or for another event", async () => {
  const schema = await holding(sealed);
  expect(await telling(schema).write({ ...sealed, revision: 9 }, completion)).toMatchObject({
    kind: "older",
  });
  expect(await telling(schema, ["failed"]).write(sealed, completion)).toEqual({ kind: "written" });
  expect(await told(schema)).toEqual([]);
});

test("a failure is told; one whose place another stream took is not", async () => {
  const fail = (patch: object) => ({
    from: ["pending_completion" as const],
    patch: { ...patch, status: failed("file_replaced") },
  });
  const plain = await holding(sealed);
  await telling(plain).write(sealed, fail({ failure_reason: "file_replaced" }));
  expect(await told(plain)).toMatchObject([
    { event: "failed", body: { type: "stream.failed", data: { failure_reason: "file_replaced" } } },
  ]);
  const superseded = await holding(sealed);
  await telling(superseded).write(sealed, fail({ superseded_by: streamId("s2") }));
  expect(await told(superseded)).toEqual([]);
});

test("a record that cannot be worked with is told as failed", async () => {
  const schema = harness.fresh();
  await schema.seed({ ...lease(W1), "streams:active": zset({ ghost: 1 }) });
  const broken = {
    id: "ghost",
    raw: {},
    reason: "incomplete_metadata",
    detail: "no path",
    webhookEvents: ALL,
  } as const;
  for (const kind of ["marked", "already"]) expect(await failBroken(schema, W1, broken)).toEqual({ kind });
  expect(await told(schema)).toMatchObject([
    { subject: "ghost", body: { data: { status: "failed_incomplete_metadata", failure_detail: "no path" } } },
  ]);
});

test("a stalled stream is told under one id for as long as nothing goes up, and not once something did", async () => {
  const growing = record({ status: "processing", s3_upload_id: "up", revision: 4 });
  const schema = await holding(growing);
  const outbox = new Outbox(schema, W1);
  expect(await outbox.reportStalled(growing)).toBe(true);
  expect(await outbox.reportStalled(growing)).toBe(true);
  const [first, second] = await told(schema);
  expect(first).toMatchObject({ event: "stalled", body: { data: { status: "processing" } } });
  expect(second?.id).toBe(first?.id);
  expect(await outbox.reportStalled({ ...growing, last_activity_at_utc: "2026-11-24T00:00:00.000Z" })).toBe(
    false,
  );
  expect(await outbox.reportStalled({ ...growing, fence: 2 })).toBe(false);
  await expect(new Outbox(schema, W2).reportStalled(growing)).rejects.toThrow("lease");
});

test("one process has the turn of delivering, until it ends it or is gone for a lease", async () => {
  const schema = harness.fresh();
  const [mine, other] = [new Outbox(schema, W1), new Outbox(schema, W2)];
  expect([await mine.takeTurn(), await other.takeTurn(), await mine.takeTurn()]).toEqual([true, false, true]);
  await other.endTurn();
  expect(await other.takeTurn()).toBe(false);
  expect(await harness.raw.pttl(schema.keys.outboxTurn)).toBeGreaterThan(KEPT.turnMs - 5_000);
  await mine.endTurn();
  expect(await other.takeTurn()).toBe(true);
});

test("messages come oldest first, page by page, and what was delivered is gone", async () => {
  const schema = harness.fresh();
  const outbox = new Outbox(schema, W1);
  const entry = (at: number) => ({ id: `m${at}`, event: "failed", body: "{}", subject: "s", at: String(at) });
  for (const at of [1, 2, 3])
    await harness.raw.xadd(schema.keys.outbox, `${at}-0`, ...Object.entries(entry(at)).flat());
  await harness.raw.xadd(schema.keys.outbox, "4-0", "of", "another shape");
  const first = await outbox.page(2);
  expect(first.map(({ message }) => message?.id)).toEqual(["m1", "m2"]);
  const rest = await outbox.page(2, first.at(-1)?.position);
  expect(rest.map(({ message }) => message?.id)).toEqual(["m3", undefined]);
  await outbox.remove("1-0");
  expect(await outbox.waiting()).toBe(3);
  expect(await outbox.trim()).toBe(0);
});

test("what became of a worker is told once, also by two that look at once, and its end only where it was told", async () => {
  const schema = harness.fresh();
  const [one, two] = [new Outbox(schema, W1), new Outbox(schema, W2)];
  const lost = {
    field: "lost:w9",
    value: "17",
    subject: "worker:w9",
    event: "worker.lost" as const,
    data: { worker: "w9" },
  };
  const back = { ...lost, value: "", event: "worker.recovered" as const };
  expect(await one.reportWorker(back)).toBe(false);
  expect([await one.reportWorker(lost), await two.reportWorker(lost)]).toEqual([true, false]);
  expect(await two.reportedOfWorkers()).toEqual(new Map([["lost:w9", "17"]]));
  expect(await two.reportWorker(back)).toBe(true);
  expect(await one.reportedOfWorkers()).toEqual(new Map());
  expect(await told(schema)).toMatchObject([
    { event: "worker.lost", subject: "worker:w9", body: { type: "worker.lost", data: { worker: "w9" } } },
    { event: "worker.recovered", body: { type: "worker.recovered" } },
  ]);
});
