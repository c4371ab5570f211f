/** Plans on a real Redis: what runs is exactly what was planned, whoever planned it and whoever carries it out. */
import { CheckpointError, streamId } from "@sluice/core";
import { AuditLog, Plans, RequestQueue, StreamReader } from "@sluice/redis-schema";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  after,
  meta,
  NOW,
  record,
  startHarness,
  stored,
  text,
  zset,
  type Harness,
} from "../../redis-schema/test/harness.ts";
import { carryOut, isRecordPlan, type RecordPlan } from "../src/carry-out.ts";
import { choose, choosePrunable, readRows } from "../src/choose.ts";
import { draftFinalize, draftPrune, draftPurge, type Draft } from "../src/draft.ts";
import { askForPlan, carryOutAudited, planOf, planResults, takePlan } from "../src/run-plan.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const ANN = { who: "ann", from: "10.0.0.1" };
type Schema = ReturnType<Harness["fresh"]>;

async function completed(schema: Schema, scores: Record<string, number>): Promise<void> {
  for (const id of Object.keys(scores)) {
    const done = after(record({ id: streamId(id), status: "completed" }), { owner: null });
    await schema.seed(stored(done, { index: "completed", path: false }));
  }
  await schema.seed({ "streams:completed": zset(scores) });
}

/** Kept and read back, as another process reads it. */
async function saved(schema: Schema, draft: Draft) {
  const plan = await planOf(schema, ANN, draft, null);
  await new Plans(schema).save(plan);
  const taken = await takePlan(schema, plan.token, "run");
  if (taken.kind !== "ok") throw new Error(`the plan is ${taken.kind}`);
  return taken.value;
}

async function failed(schema: Schema, over: Record<string, Record<string, string>>): Promise<void> {
  const ids = Object.keys(over);
  for (const id of ids) {
    const path = `/rec/${id}.mkv`;
    const broken = record({ id: streamId(id), status: "failed_corrupt_record", original_path: path });
    await schema.seed({ [`stream:${id}:meta`]: { ...meta(broken), ...over[id] } });
  }
  await schema.seed({ "streams:failed": zset(Object.fromEntries(ids.map((id, at) => [id, at]))) });
}

async function purgePlan(schema: Schema, ids: readonly string[]): Promise<RecordPlan> {
  const rows = await readRows(new StreamReader(schema), ids);
  const plan = await saved(schema, draftPurge(choose("purge", rows), "abort"));
  if (!isRecordPlan(plan)) throw new Error("a purge needs no worker");
  return plan;
}

async function prunePlan(schema: Schema, ids: readonly string[]): Promise<RecordPlan> {
  const rows = await readRows(new StreamReader(schema), ids);
  const plan = await saved(schema, draftPrune({ rows, leftOut: 0 }, { cutoff: NOW, olderThanMs: 0 }));
  if (!isRecordPlan(plan)) throw new Error("a prune needs no worker");
  return plan;
}

/** As Ctrl-C, once the first 500 are done. */
function stopAfterFirstChunk(): { signal: AbortSignal; abort: () => void } {
  const stop = new AbortController();
  return { signal: stop.signal, abort: () => stop.abort() };
}

/** What the audit log says, oldest first. */
async function audited(schema: Schema): Promise<string[]> {
  const { entries } = await new AuditLog(schema).page(20);
  return entries.map(({ result }) => result).toReversed();
}

describe("failed streams that are purged", () => {
  test("are also those whose record has numbers that are none", async () => {
    const schema = harness.fresh();
    await failed(schema, {
      fence: { fence: "x" },
      revision: { revision: "-1" },
      both: { fence: "", revision: "1e3" },
    });
    const plan = await purgePlan(schema, ["fence", "revision", "both"]);
    const { results } = await carryOutAudited(schema, plan, ANN, { reason: undefined });
    const done = { result: "done" };
    expect(Object.fromEntries(results)).toEqual({ fence: done, revision: done, both: done });
    expect(await new StreamReader(schema).ids("failed")).toEqual([]);
  });

  test("are not a hash without any field of ours, and the reason is said", async () => {
    const schema = harness.fresh();
    await schema.seed({ "stream:odd:meta": { other: "1" }, "streams:failed": zset({ odd: 1 }) });
    const plan = await purgePlan(schema, ["odd"]);
    const { results } = await carryOutAudited(schema, plan, ANN, { reason: undefined });
    expect(results.get("odd")).toEqual({ result: "refused", detail: "it is in no failed state now" });
  });

  test("are left alone where a number changed since they were planned, broken or not", async () => {
    const schema = harness.fresh();
    await failed(schema, { grew: {}, broke: {}, mended: { revision: "x" } });
    const plan = await purgePlan(schema, ["grew", "broke", "mended"]);
    await harness.raw.hincrby(schema.keys.streamMeta("grew"), "revision", 1);
    await harness.raw.hset(schema.keys.streamMeta("broke"), { revision: "x" });
    await harness.raw.hset(schema.keys.streamMeta("mended"), { revision: "3" });
    const { results } = await carryOutAudited(schema, plan, ANN, { reason: undefined });
    const refused = { result: "refused", detail: expect.stringContaining("make a new plan") };
    expect(Object.fromEntries(results)).toEqual({ grew: refused, broke: refused, mended: refused });
    expect(await new StreamReader(schema).ids("failed")).toEqual(["grew", "broke", "mended"]);
  });
});

describe("the audit log of a purge", () => {
  test("says that it was begun, also where Redis breaks it off, and what was done by then", async () => {
    const schema = harness.fresh();
    const ids = Array.from({ length: 501 }, (_, at) => `s${at}`);
    await failed(schema, Object.fromEntries(ids.map((id) => [id, {}])));
    const plan = await purgePlan(schema, ids);
    const { signal, abort } = stopAfterFirstChunk();
    await carryOutAudited(schema, plan, ANN, { reason: "space", signal, onProgress: abort });
    // From here on the script of a purge refuses to write.
    await schema.seed({ "streams:by_path": text("of another program") });
    const broken = carryOutAudited(schema, plan, ANN, { reason: "space" });
    await expect(broken).rejects.toBeInstanceOf(CheckpointError);
    expect(await audited(schema)).toEqual([
      "begun",
      "500 done, 1 not answered yet",
      "begun",
      "broke off: 500 done, 1 not answered yet",
    ]);
    await harness.raw.del(schema.keys.byPath);
    await carryOutAudited(schema, plan, ANN, { reason: "space" });
    expect((await audited(schema)).slice(-2)).toEqual(["begun", "501 done"]);
  });

  test("comes first: what cannot be audited is not removed", async () => {
    const schema = harness.fresh();
    await failed(schema, { s1: {} });
    const plan = await purgePlan(schema, ["s1"]);
    await schema.seed({ audit: text("of another program") });
    await expect(carryOutAudited(schema, plan, ANN, { reason: undefined })).rejects.toThrow("audit");
    expect(await new StreamReader(schema).ids("failed")).toEqual(["s1"]);
  });

  test("names each item with what was known of it, and says what became of it", async () => {
    const schema = harness.fresh();
    await failed(schema, { s1: { s3_key: "a/s1.mkv", file_size: "9", bytes_sent: "5", next_part: "3" } });
    const plan = await purgePlan(schema, ["s1"]);
    await carryOutAudited(schema, plan, ANN, { reason: undefined });
    const known = { id: "s1", name: "/rec/s1.mkv", key: "a/s1.mkv", bytes: 4, parts: 2 };
    const { entries } = await new AuditLog(schema).page(10);
    expect(entries.map(({ items }) => items)).toMatchObject([[{ ...known, result: "done" }], [known]]);
  });

  test("names the plan in each entry, whoever acts", async () => {
    const schema = harness.fresh();
    await failed(schema, { s1: {} });
    const plan = await purgePlan(schema, ["s1"]);
    await carryOutAudited(schema, plan, ANN, { reason: undefined });
    const named = { ...ANN, action: "purge", ids: ["s1"], plan: plan.token };
    expect((await new AuditLog(schema).page(10)).entries).toMatchObject([named, named]);
  });
});

describe("a plan on records that is stopped", () => {
  const ids = Array.from({ length: 501 }, (_, at) => `s${String(at).padStart(3, "0")}`);

  test.each(["purge", "prune_history"] as const)(
    "between two chunks (%s) leaves the rest, and resumes there",
    async (action) => {
      const schema = harness.fresh();
      const index = action === "purge" ? "failed" : "completed";
      if (action === "purge") await failed(schema, Object.fromEntries(ids.map((id) => [id, {}])));
      else await completed(schema, Object.fromEntries(ids.map((id, at) => [id, at + 1])));
      const plan = action === "purge" ? await purgePlan(schema, ids) : await prunePlan(schema, ids);
      const { signal, abort } = stopAfterFirstChunk();
      const stopped = await carryOutAudited(schema, plan, ANN, {
        reason: undefined,
        signal,
        onProgress: abort,
      });
      expect([...stopped.results.keys()].toSorted()).toEqual(ids.slice(0, 500));
      expect(await new StreamReader(schema).ids(index)).toEqual(ids.slice(500));
      const { results } = await carryOutAudited(schema, plan, ANN, { reason: undefined });
      expect([...results.keys()].toSorted()).toEqual(ids);
      expect(new Set([...results.values()].map(({ result }) => result))).toEqual(new Set(["done"]));
      expect(await new StreamReader(schema).ids(index)).toEqual([]);
    },
  );
});

describe("history that is pruned", () => {
  test("is exactly what was planned, however many others are older", async () => {
    const schema = harness.fresh();
    await completed(schema, { c1: 10, c2: 20, c3: 30, c4: 40 });
    const rows = await readRows(new StreamReader(schema), ["c3", "c4"]);
    const plan = await saved(schema, draftPrune({ rows, leftOut: 0 }, { cutoff: 35, olderThanMs: 0 }));
    if (!isRecordPlan(plan)) throw new Error("a prune needs no worker");
    const { results } = await carryOutAudited(schema, plan, ANN, { reason: undefined });
    expect(Object.fromEntries(results)).toEqual({
      c3: { result: "done" },
      c4: { result: "refused", detail: expect.stringContaining("kept") },
    });
    expect((await schema.state())["streams:completed"]).toEqual(zset({ c1: 10, c2: 20, c4: 40 }));
    expect(await carryOut(schema, plan, ANN)).toMatchObject({ touched: false });
  });

  test("is planned oldest first, up to a moment on Redis's clock", async () => {
    const schema = harness.fresh();
    await completed(schema, { young: Date.now() + 3_600_000, old: 20, older: 10 });
    const { rows, leftOut } = await choosePrunable(schema, 60_000);
    expect(rows.map(({ id }) => id)).toEqual(["older", "old"]);
    expect(leftOut).toBe(0);
  });

  test("is planned from all its pages, up to what one plan takes; how many that leaves out is said", async () => {
    const schema = harness.fresh();
    const ids = Array.from({ length: 503 }, (_, at) => `c${String(at).padStart(3, "0")}`);
    await completed(schema, Object.fromEntries(ids.map((id, at) => [id, at + 1])));
    const all = await choosePrunable(schema, 0);
    expect([all.rows.map(({ id }) => id), all.leftOut]).toEqual([ids, 0]);
    for (const limit of [2, 501]) {
      const some = await choosePrunable(schema, 0, limit);
      expect([some.rows.map(({ id }) => id), some.leftOut]).toEqual([ids.slice(0, limit), 503 - limit]);
    }
  });
});

describe("a plan that workers carry out", () => {
  test("keeps its force, and asks once however often it is carried out", async () => {
    const schema = harness.fresh();
    await schema.seed(stored(record({ id: streamId("s1"), status: "processing" }), { index: "active" }));
    const rows = await readRows(new StreamReader(schema), ["s1"]);
    const draft = draftFinalize(choose("finalize", rows), { force: true, nowMs: NOW });
    const plan = await saved(schema, draft);
    expect(await askForPlan(schema, plan, ANN, "now")).toEqual({ items: ["s1"], isNew: true });
    expect(await askForPlan(schema, plan, ANN, "now")).toEqual({ items: ["s1"], isNew: false });
    expect(await new RequestQueue(schema).read(plan.token)).toMatchObject({
      kind: "ok",
      value: { action: "finalize", items: ["s1"], options: { force: true }, reason: "now", who: "ann" },
    });
    expect(await planResults(schema, plan)).toEqual(new Map());
    const { entries } = await new AuditLog(schema).page(10);
    expect(entries).toMatchObject([{ ...ANN, action: "finalize", reason: "now", plan: plan.token }]);
  });

  test("all of which changed asks for nothing, and its audit entry names the plan too", async () => {
    const schema = harness.fresh();
    await schema.seed(stored(record({ id: streamId("s1"), status: "processing" }), { index: "active" }));
    const rows = await readRows(new StreamReader(schema), ["s1"]);
    const draft = draftFinalize(choose("finalize", rows), { force: true, nowMs: NOW });
    const plan = await saved(schema, draft);
    await harness.raw.hset(schema.keys.streamMeta("s1"), { status: "completed" });
    expect(await askForPlan(schema, plan, ANN, undefined)).toEqual({ items: [], isNew: false });
    const { entries } = await new AuditLog(schema).page(10);
    expect(entries).toMatchObject([{ result: "nothing: all items have changed", plan: plan.token }]);
  });
});
