/** What became of webhook messages, and what a worker reports of itself: written, bounded, and read back piece by piece. */
import { Deliveries, KEPT, Outbox, WorkerReports, type OutboxMessage } from "@sluice/redis-schema";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NOW, startHarness, W1, type Harness, type Schema } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const message: OutboxMessage = { id: "msg_1", event: "completed", subject: "s1", body: "{}", at: 5 };

/** The message as a script puts it into the outbox, and its position there. */
async function waiting(schema: Schema): Promise<string> {
  const { redis, keys } = schema;
  const { id, event, subject, body, at } = message;
  const fields = { id, event, subject, body, at: String(at) };
  return (await redis.xadd(keys.outbox, "*", ...Object.entries(fields).flat())) ?? "";
}

describe("a webhook message", () => {
  test("that was accepted leaves the outbox, and its result stays", async () => {
    const schema = harness.fresh();
    const deliveries = new Deliveries(schema);
    await deliveries.failed(message, 1, "answered 500");
    await deliveries.delivered(await waiting(schema), message, 1);
    expect(await new Outbox(schema, W1).waiting()).toBe(0);
    const about = { id: "msg_1", event: "completed", subject: "s1", at: NOW, failures: 1 };
    expect(await deliveries.results(10)).toEqual([
      { ...about, result: "delivered" },
      { ...about, result: "failed", detail: "answered 500" },
    ]);
    expect(await deliveries.dropped(10)).toEqual([]);
  });

  test("that was dropped is sent again once, under its id, and counts as new", async () => {
    const schema = harness.fresh();
    const deliveries = new Deliveries(schema);
    await deliveries.expired(await waiting(schema), message, 7);
    const [dropped] = await deliveries.dropped(10);
    expect(dropped).toMatchObject({ id: "msg_1", event: "completed", subject: "s1", dropped_at: NOW });
    expect(dropped).not.toHaveProperty("body");
    const position = dropped?.position ?? "";
    expect(await deliveries.retry(position)).toBe("msg_1");
    expect(await deliveries.retry(position), "a second press").toBeUndefined();
    expect(await deliveries.dropped(10)).toEqual([]);
    expect((await new Outbox(schema, W1).page(10)).map((entry) => entry.message)).toEqual([
      { ...message, at: NOW },
    ]);
  });

  test("an entry that cannot be read hides no other", async () => {
    const schema = harness.fresh();
    const deliveries = new Deliveries(schema);
    await deliveries.delivered("1-1", message, 0);
    await schema.redis.xadd(schema.keys.outboxResults, "*", "odd", "x");
    await schema.redis.xadd(schema.keys.outboxDropped, "*", "odd", "x");
    expect(await deliveries.results(10)).toHaveLength(1);
    expect(await deliveries.dropped(10)).toEqual([]);
  });
});

describe("a worker's report", () => {
  const trouble = { code: "store_unavailable", detail: "500", count: 2, first_at: 1, last_at: 2 };
  const settings = [{ name: "SLUICE_PART_SIZE", group: "Parts", value: "8MiB", origin: "default" }];
  const report = {
    settings,
    troubles: [trouble],
    part_seconds: { since: 5, buckets: [{ le: null, parts: 1 }], seconds: 2.5 },
  };

  test("is read back as it was written, and is kept as long as a worker is listed", async () => {
    const schema = harness.fresh();
    const reports = new WorkerReports(schema);
    await reports.save("w1", report);
    expect(await reports.load("w1")).toEqual(report);
    const left = await schema.redis.pttl(schema.keys.workerReport("w1"));
    expect(left).toBeGreaterThan(KEPT.deadWorkerMs - 60_000);
    await reports.save("w1", { settings, troubles: [] });
    expect(await reports.load("w1")).toEqual({ settings, troubles: [] });
    expect(await reports.load("w2")).toEqual({});
  });

  test("shows what can be read of it", async () => {
    const schema = harness.fresh();
    const reports = new WorkerReports(schema);
    await reports.save("w1", report);
    await schema.redis.hset(schema.keys.workerReport("w1"), "troubles", "[{}]", "part_seconds", "{");
    expect(await reports.load("w1")).toEqual({ settings });
  });
});
