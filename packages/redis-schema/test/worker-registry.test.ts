/** One process holds a worker id at a time. */
import { WorkerRegistry, beginEpoch, readEpoch } from "@sluice/redis-schema";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NOW, startHarness, W1, workerRecord, zset, type Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const { nonce: _, ...facts } = workerRecord();

describe("a lease", () => {
  test("R5: is renewed in a Redis that is full, whose refusal of other writes it tells", async () => {
    const schema = harness.fresh();
    const registry = new WorkerRegistry(schema);
    expect(await registry.renew("w1", workerRecord())).toMatchObject({ kind: "taken" });
    await harness.raw.config("SET", "maxmemory", "1");
    try {
      const full = {
        refusal: expect.stringContaining("Redis is out of memory (maxmemory reached)") as string,
      };
      const blocked = workerRecord({ state: "blocked", state_detail: "Redis is full" });
      expect(await registry.renew("w1", blocked)).toMatchObject({ kind: "renewed", ...full });
      expect(await registry.lease("w1")).toEqual({ kind: "ok", value: blocked });
      expect(await registry.renew("w2", workerRecord()), "a worker may start").toMatchObject({
        kind: "taken",
        ...full,
      });
      expect(await registry.renew("w1", workerRecord({ nonce: "another" }))).toMatchObject({ kind: "held" });
    } finally {
      await harness.raw.config("SET", "maxmemory", "0");
    }
    expect(await registry.renew("w1", workerRecord())).toMatchObject({ kind: "renewed" });
  });

  test("is taken, then renewed, with everything the worker says of itself", async () => {
    const schema = harness.fresh();
    const registry = new WorkerRegistry(schema);
    const worker = workerRecord({ lag_bytes: 77, oldest_unshipped_at_utc: "2026-11-24T10:00:00.000Z" });
    expect(await registry.renew("w1", worker)).toMatchObject({ kind: "taken" });
    const state = await schema.state();
    expect(state["workers"]).toEqual(zset({ w1: NOW }));
    expect(state["stats:202611241020"]).toEqual({
      "lag_bytes@w1": "77",
      "oldest_unshipped_at@w1": String(Date.parse("2026-11-24T10:00:00.000Z")),
      "source@w1": worker.source,
      "started_at@w1": String(Date.parse(worker.started_at_utc)),
    });
    expect(await registry.renew("w1", worker)).toMatchObject({ kind: "renewed" });
    expect(await schema.state()).toEqual({
      ...state,
      epoch: { ...(state["epoch"] as Record<string, string>), renewals: "2" },
    });
    expect(await registry.lease("w1")).toEqual({ kind: "ok", value: worker });
  });

  test("lapses 15 s after its last renewal", async () => {
    const schema = harness.fresh();
    await new WorkerRegistry(schema).renew("w1", workerRecord());
    const left = await harness.raw.pttl(schema.keys.worker("w1"));
    expect(left).toBeGreaterThan(13_000);
    expect(left).toBeLessThanOrEqual(15_000);
  });

  test("forgets what the worker does not say any more", async () => {
    const schema = harness.fresh();
    const registry = new WorkerRegistry(schema);
    await registry.renew("w1", workerRecord({ state: "blocked", state_detail: "the bucket is away" }));
    await registry.renew("w1", workerRecord());
    expect(await registry.lease("w1")).toEqual({ kind: "ok", value: workerRecord() });
  });

  test("of another process stands, and its holder is named", async () => {
    const schema = harness.fresh();
    const registry = new WorkerRegistry(schema);
    await registry.renew("w1", workerRecord());
    const state = await schema.state();
    const outcome = await registry.renew("w1", workerRecord({ nonce: "late", pid: 8 }));
    expect(outcome).toEqual({ kind: "held", lease: { kind: "ok", value: workerRecord() } });
    expect(await schema.state()).toEqual(state);
  });

  test("of a process known to be dead is taken at once", async () => {
    const schema = harness.fresh();
    const registry = new WorkerRegistry(schema);
    await registry.renew("w1", workerRecord());
    expect(await registry.renew("w1", workerRecord({ nonce: "next" }), ["nonce-1"])).toMatchObject({
      kind: "taken",
    });
    expect(await registry.lease("w1")).toMatchObject({ value: { ...facts, nonce: "next" } });
  });

  test("is given up at the end by its holder only", async () => {
    const schema = harness.fresh();
    const registry = new WorkerRegistry(schema);
    await registry.renew("w1", workerRecord());
    await registry.unregister("w1", "another");
    expect(await registry.lease("w1")).toMatchObject({ kind: "ok" });
    await registry.unregister("w1", W1.nonce);
    await registry.unregister("w1", W1.nonce);
    expect(await registry.lease("w1")).toEqual({ kind: "absent" });
    expect((await schema.state())["workers"]).toBeUndefined();
  });
});

test("the list shows living, gone and unreadable workers, and forgets those gone for a week", async () => {
  const schema = harness.fresh();
  const registry = new WorkerRegistry(schema);
  await schema.seed({
    workers: zset({ ancient: NOW - 7 * 25 * 3_600_000, gone: NOW - 60_000, odd: NOW }),
    "worker:odd": { nonce: "x" },
  });
  await registry.renew("w1", workerRecord());
  const listed = await registry.list();
  expect(listed.map(({ id, lease }) => [id, lease.kind])).toEqual([
    ["gone", "gone"],
    ["odd", "corrupt"],
    ["w1", "ok"],
  ]);
  expect(listed[0]?.lastSeenAt).toBe(NOW - 60_000);
  expect(listed[0]?.ageMs).toBeUndefined();
  expect(listed[2]?.ageMs).toBeLessThan(10_000);
});

test("what a dead worker last said stays readable for a week; one that ended by itself leaves nothing", async () => {
  const schema = harness.fresh();
  const registry = new WorkerRegistry(schema);
  await registry.renew("w1", workerRecord({ state: "blocked", state_detail: "before" }));
  const last = workerRecord({ host: "cam-host-2" });
  await registry.renew("w1", last);
  await harness.raw.del(schema.keys.worker("w1"));
  expect(await registry.list()).toEqual([{ id: "w1", lastSeenAt: NOW, lease: { kind: "gone", last } }]);
  const left = await harness.raw.pttl(schema.keys.workerLast("w1"));
  expect(left).toBeGreaterThan(6 * 86_400_000);
  await registry.renew("w1", last);
  await registry.unregister("w1", last.nonce);
  expect(await registry.list()).toEqual([]);
  expect(await schema.state()).not.toHaveProperty("workers:last:w1");
});

describe("D8b: a Redis that came back older is known by a renewal", () => {
  /** A context whose epoch has an id, and what a worker remembers of its last renewal. */
  async function remembering() {
    const schema = harness.fresh();
    const registry = new WorkerRegistry(schema);
    await beginEpoch(schema, "e1");
    for (const now of [NOW, NOW + 4_000]) await registry.renew("w1", workerRecord(), [], { now });
    const remembered = { renewals: 2, times: [NOW + 4_000] };
    const next = { remembered, now: NOW + 8_000 };
    return { schema, registry, next };
  }

  test("not when nothing was lost, also when an answer was", async () => {
    const { schema, registry, next } = await remembering();
    const outcome = await registry.renew("w1", workerRecord(), [], next);
    expect(outcome).toEqual({ kind: "renewed", renewals: 3 });
    const { remembered } = next;
    const times = [...remembered.times, next.now];
    const later = { remembered: { ...remembered, times }, now: NOW + 12_000 };
    expect(await registry.renew("w1", workerRecord(), [], later)).toEqual({ kind: "renewed", renewals: 4 });
    expect(await readEpoch(schema)).toMatchObject({ id: "e1" });
  });

  test("by the counter: the epoch goes in the same step, and the counter never falls behind", async () => {
    const { schema, registry, next } = await remembering();
    await harness.raw.hset(schema.keys.epoch, "renewals", "1");
    const outcome = await registry.renew("w1", workerRecord(), [], next);
    expect(outcome).toMatchObject({ kind: "renewed", renewals: 3, wentBack: expect.any(String) as string });
    expect(await readEpoch(schema)).toBeUndefined();
  });

  test("by the worker's own last renewal, although others have raised the counter again since", async () => {
    const { schema, registry, next } = await remembering();
    await harness.raw.zadd(schema.keys.workers, NOW, "w1");
    await registry.renew("w2", workerRecord({ nonce: "nonce-2" }));
    const outcome = await registry.renew("w1", workerRecord(), [], next);
    expect(outcome).toMatchObject({ wentBack: expect.any(String) as string });
    expect(await readEpoch(schema)).toBeUndefined();
  });

  test("by a worker that remembers nothing: another server process answers than at the last renewal", async () => {
    const { schema, registry } = await remembering();
    expect(await registry.renew("w2", workerRecord({ nonce: "nonce-2" }))).not.toHaveProperty("wentBack");
    await harness.raw.hset(schema.keys.epoch, "server", "another");
    const outcome = await registry.renew("w3", workerRecord({ nonce: "nonce-3" }));
    expect(outcome).toMatchObject({ wentBack: expect.any(String) as string });
    expect(await readEpoch(schema)).toBeUndefined();
    await beginEpoch(schema, "e2");
    expect(await registry.renew("w4", workerRecord({ nonce: "nonce-4" }))).not.toHaveProperty("wentBack");
  });
});
