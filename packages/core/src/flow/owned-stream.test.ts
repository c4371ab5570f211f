import { describe, expect, it } from "vitest";
import { InvariantError } from "../assert.ts";
import { CheckpointError, OwnershipLostError } from "../errors.ts";
import type { CheckpointStore, StreamWrite } from "../ports/checkpoint-store.ts";
import type { Part } from "../stream/record.ts";
import { atCall, failing, type Script } from "../testing/failing.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { MemoryCheckpointStore } from "../testing/memory-checkpoint-store.ts";
import { MemoryRedis } from "../testing/memory-redis.ts";
import { BUCKET, FACTS, newStream, PART, SOURCE } from "../testing/test-values.ts";
import { OwnedStream } from "./owned-stream.ts";

const facts = { ...FACTS, size: 3 * PART };
const record = newStream({ facts });
const part = (n: number): Part => ({
  PartNumber: n,
  ETag: `e${n}`,
  Size: PART,
  Offset: (n - 1) * PART,
  Attempts: 2,
});
const away = (): Error => new CheckpointError("Redis did not answer in time");

async function setUp(script: Script = () => undefined) {
  const clock = new ManualClock();
  const redis = new MemoryRedis();
  const store = new MemoryCheckpointStore(redis, "w1", "n1");
  await store.open({ record, log: [] });
  const writes: StreamWrite[] = [];
  const seen: CheckpointStore = failing(store, {
    script: (call) => {
      if (call.method === "write") writes.push(call.args[1] as StreamWrite);
      return script(call);
    },
  });
  const stop = new AbortController();
  const recovery = { recognise: false, wentBack: ({ gone }: { gone: boolean }) => Promise.resolve(!gone) };
  const deps = { checkpoints: seen, clock, random: () => 0.5, recovery };
  const held = new OwnedStream(record, [], deps, stop.signal);
  await held.move("opened", { patch: { s3_key: "a.bin", s3_upload_id: "u" } });
  return { clock, redis, held, writes, stop, store };
}

describe("a part", () => {
  it("shares its write with the parts acknowledged while the one before was being written", async () => {
    const { held, writes, redis } = await setUp();
    await Promise.all([held.savePart(part(1)), held.savePart(part(2)), held.savePart(part(3))]);
    const saves = writes.filter((write) => write.parts);
    expect(saves.map((write) => write.parts?.map((one) => one.PartNumber))).toEqual([[1, 2, 3]]);
    expect(redis.record("s1")).toMatchObject({ next_part: 4, bytes_sent: 3 * PART });
    expect(redis.stats).toMatchObject({ parts: 3, bytes_sent: 3 * PART, retries: 3 });
  });

  it("past a gap is saved, and the checkpoint covers only the run before it", async () => {
    const { held, redis } = await setUp();
    await held.savePart(part(3));
    expect(redis.record("s1")).toMatchObject({ next_part: 1, bytes_sent: 0 });
    expect(held.sentEnd).toBe(3 * PART);
    await held.savePart(part(1));
    expect(redis.record("s1")).toMatchObject({ next_part: 2, bytes_sent: PART });
  });

  it("R7: counts once when the answer to its write is lost and it is written again", async () => {
    const { held, redis, clock } = await setUp(atCall("write", 2, { when: "after", throw: away() }));
    await clock.drive(held.savePart(part(1)));
    expect(redis.stats.parts).toBe(1);
    expect(redis.record("s1")?.revision).toBe(held.record.revision);
    await held.savePart(part(2));
    expect(redis.record("s1")).toMatchObject({ next_part: 3 });
  });

  it("R8: waits for a Redis that is away, with the same write", async () => {
    const { held, redis, clock, writes } = await setUp((call) =>
      call.method === "write" && call.nth >= 2 && call.nth < 9
        ? { when: "before", throw: away() }
        : undefined,
    );
    await clock.drive(held.savePart(part(1)));
    expect(redis.record("s1")).toMatchObject({ next_part: 2 });
    expect(new Set(writes.slice(1)).size).toBe(1);
  });
});

describe("a stream held by its owner", () => {
  it("always equals what Redis last confirmed", async () => {
    const { held, redis } = await setUp();
    await held.savePart(part(1));
    await held.update({ patch: { waiting_for: "x" } });
    expect(held.record).toEqual(redis.record("s1"));
    expect([...held.parts]).toEqual([...redis.parts("s1")]);
    await held.update({ dropParts: true, parts: [part(2)], patch: {} });
    expect([...held.parts.keys()]).toEqual([2]);
  });

  it("writes one change after another, whoever asks at once", async () => {
    const { held, redis } = await setUp();
    const before = held.record.revision;
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => held.update({ patch: { waiting_for: String(n) } })),
    );
    expect(redis.record("s1")?.revision).toBe(before + 20);
    expect(redis.record("s1")?.waiting_for).toBe("19");
  });

  it("lets notes ride with the next write, counts growth with them, and keeps them when a write is refused", async () => {
    const { held, redis, store } = await setUp();
    await store.open({
      record: { ...record, id: "s2" as typeof record.id, original_path: "/inbox/b" },
      log: [],
    });
    await store.write(
      { ...record, id: "s2" as typeof record.id },
      { from: ["opening"], patch: {}, takeKeys: [`${BUCKET}/k`] },
    );
    held.note({ file_size: facts.size + 10, longest_pause_ms: 5 });
    expect(held.hasNotes).toBe(true);
    expect(await held.tryUpdate({ takeKeys: [`${BUCKET}/k`], patch: {} })).toEqual({
      kind: "key_taken",
      by: "s2",
    });
    expect(held.hasNotes).toBe(true);
    await held.update({ patch: { waiting_for: "x" } });
    expect(held.hasNotes).toBe(false);
    expect(redis.record("s1")).toMatchObject({ file_size: facts.size + 10, longest_pause_ms: 5 });
    expect(redis.stats.bytes_in).toBe(10);
  });

  it("R9: learns from its next write that another worker took it", async () => {
    const { held, redis } = await setUp();
    redis.lapse("w1");
    const other = new MemoryCheckpointStore(redis, "w2", "n2");
    expect((await other.claim([record.id]))[0]).toMatchObject({ kind: "claimed", record: { fence: 2 } });
    redis.renew("w1");
    await expect(held.savePart(part(1))).rejects.toBeInstanceOf(OwnershipLostError);
    await expect(held.update({ patch: {} })).rejects.toBeInstanceOf(OwnershipLostError);
    expect(redis.parts("s1").size).toBe(0);
  });

  it("goes on after a write that failed: the next one is not held up", async () => {
    const { held, redis, stop } = await setUp(atCall("write", 2, { when: "before", throw: away() }));
    stop.abort();
    await expect(held.update({ patch: { waiting_for: "lost" } })).rejects.toBeInstanceOf(CheckpointError);
    await held.update({ patch: { waiting_for: "kept" } });
    expect(redis.record("s1")?.waiting_for).toBe("kept");
  });

  it("makes legal moves only, and a failure names its reason", async () => {
    const { held } = await setUp();
    await expect(held.move("described", { patch: {} })).rejects.toBeInstanceOf(InvariantError);
    await expect(held.move("broke", { patch: {} })).rejects.toBeInstanceOf(InvariantError);
    await held.move("broke", { patch: { failure_reason: "file_missing" } }, "failed_file_missing");
    expect(held.kind).toBe("failed");
  });

  it("follows a rename, unless another stream lives at the new path", async () => {
    const { held, redis, store } = await setUp();
    await store.open({
      record: { ...record, id: "s2" as typeof record.id, original_path: "/inbox/b" },
      log: [],
    });
    expect(await held.rename("/inbox/b", { patch: {} })).toEqual({ kind: "path_taken", by: "s2" });
    expect(await held.rename("/inbox/c", { patch: {} })).toEqual({ kind: "written" });
    expect(held.record.original_path).toBe("/inbox/c");
    expect(redis.holderOfPath(SOURCE, "/inbox/a.bin")).toBeUndefined();
    expect(redis.holderOfPath(SOURCE, "/inbox/c")).toBe("s1");
  });

  it("passes its path to a new generation in one step, also when the answer is lost", async () => {
    const { held, redis, clock } = await setUp(atCall("open", 1, { when: "after", throw: away() }));
    const successor = newStream({ id: "s9", facts });
    const change = {
      patch: { status: "failed_file_replaced" as const, superseded_by: "s9" },
      releasePath: true,
    };
    await clock.drive(held.replaceBy(successor, ["takes its place"], change));
    expect(redis.holderOfPath(SOURCE, "/inbox/a.bin")).toBe("s9");
    expect(redis.index("failed")).toEqual(["s1"]);
    expect(redis.index("active")).toEqual(["s9"]);
  });

  it("can be let go for another worker to take at once", async () => {
    const { held, redis } = await setUp();
    await held.release();
    const other = new MemoryCheckpointStore(redis, "w2", "n2");
    expect((await other.claim([record.id]))[0]).toMatchObject({ kind: "claimed" });
  });
});
