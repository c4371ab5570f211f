/** What an earlier phase or a stray hand left: each repair from whole state to whole state, and twice. */
import { convertIndexes, failBroken, repairIndexes } from "@sluice/redis-schema";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  lease,
  line,
  NOW,
  NOW_UTC,
  plainSet,
  startHarness,
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
        failed_at_utc: NOW_UTC,
        source_state: "unknown",
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

  test("of an id that has left every index since it was read is not brought back", async () => {
    const schema = harness.fresh();
    await schema.seed(lease(W1));
    const request = { id: "over", raw: {}, reason: "incomplete_metadata", detail: "x" } as const;
    expect(await failBroken(schema, W1, request)).toEqual({ kind: "changed" });
    expect(await schema.state()).toEqual(lease(W1));
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
