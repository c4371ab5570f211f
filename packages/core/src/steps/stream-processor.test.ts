/** A stream's whole life over the memory adapters: from the first byte to the metadata object, and every way to end. */
import { describe, expect, it } from "vitest";
import { holdsFile, runToEnd, streams, testWorld } from "../../test/test-world.ts";
import { CheckpointError, StoreError } from "../errors.ts";
import type { Failpoint } from "../failpoints.ts";
import { audit } from "../testing/audit.ts";
import type { Script } from "../testing/failing.ts";
import { BUCKET, PART, sampleBytes, SOURCE } from "../testing/test-values.ts";
import type { WorkerOptions } from "../testing/test-worker.ts";
import type { World } from "../testing/world.ts";

async function started(bytes: number, options: WorkerOptions = {}) {
  const world = testWorld();
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(bytes, 1));
  const worker = world.worker({ storeDelayMs: () => 5, ...options });
  await worker.scan();
  const processor = worker.processors.get("stream0001");
  if (!processor) throw new Error("there is a stream");
  return { world, path, worker, processor };
}

const status = (world: World): string | undefined => streams(world)[0]?.status;
const away = (): StoreError =>
  new StoreError({ trouble: "unreachable", code: "ECONNREFUSED", message: "away" });

describe("a stream", () => {
  it("that grows past two parts and falls quiet becomes one object and its metadata", async () => {
    const { world, path, worker } = await started(PART);
    await world.clock.advance(1_000);
    world.disk.append(path, sampleBytes(PART + 777, 2));
    await worker.work();
    expect([...worker.endings.values()]).toEqual([{ kind: "completed" }]);
    expect(audit(world)).toEqual([]);
    expect(world.store.keys()).toEqual(["a.bin", "a.bin.metadata.json"]);
    expect(world.redis.done(SOURCE, path)).toMatchObject({ s3_key: "a.bin", file_size: 2 * PART + 777 });
    expect(world.redis.stats).toMatchObject({
      parts: 3,
      bytes_sent: 2 * PART + 777,
      completed: 1,
      failures: 0,
    });
  });

  it("passes the states in their order, each with its reason in the timeline", async () => {
    const { world, worker } = await started(PART);
    await worker.work();
    const log = world.redis.log("stream0001");
    expect(log).toEqual([
      "discovered",
      "upload opened at a.bin",
      "complete: it was idle for long enough",
      expect.stringContaining("stored and verified"),
      "completed",
    ]);
  });

  it("P11: is in no hurry while the store is away, and none of its work is lost", async () => {
    let down = true;
    const storeScript: Script = () => (down ? { when: "before", throw: away() } : undefined);
    const { world, path, worker } = await started(2 * PART, { storeScript });
    await world.clock.advance(6 * 3_600_000);
    expect(status(world)).toBe("opening");
    expect(worker.deps.gate.state.blocked).toBe(true);
    down = false;
    await worker.work();
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
  });
});

describe("SIGTERM", () => {
  it("C24: lets the parts in flight end, and gives the stream back", async () => {
    const { world, worker } = await started(2 * PART, {
      storeDelayMs: (call) => (call.method === "uploadPart" ? 900 : 1),
    });
    await world.clock.advance(500);
    expect(worker.processors.get("stream0001")?.partsInFlight).toBe(2);
    await worker.drain();
    expect([...worker.endings.values()]).toEqual([{ kind: "released" }]);
    expect(streams(world)[0]).toMatchObject({ status: "processing", next_part: 3 });
    expect(streams(world)[0]?.owner).toBeUndefined();
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(world.store.count("uploadPart")).toBe(2);
  });

  it("C24: that comes while parts are being begun begins none after them", async () => {
    const { world, worker } = await started(6 * PART, {
      storeDelayMs: (call) => (call.method === "uploadPart" ? 900 : 1),
      checkpointScript: (call) => {
        const [, write] = call.args as [unknown, { patch?: { waiting_for?: string } }];
        if (call.method === "write" && write.patch?.waiting_for?.includes("parts")) drain();
        return undefined;
      },
    });
    const drain = (): void => worker.processors.get("stream0001")?.drain();
    await world.clock.until(() => worker.busy === 0);
    expect(streams(world)[0]).toMatchObject({ status: "processing", next_part: 3 });
    // Begun, not only sent: a part begun after the drain would be cut off in the middle.
    expect(worker.reached.filter((name) => name === "part_sending")).toHaveLength(2);
  });

  it("C25: a second time drops everything at once; what was acknowledged is found again", async () => {
    const { world, worker } = await started(2 * PART, {
      storeDelayMs: (call) => (call.method === "uploadPart" ? 900 : 1),
    });
    await world.clock.advance(500);
    worker.stop();
    await worker.work();
    expect([...worker.endings.values()]).toEqual([{ kind: "released" }]);
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
  });

  it("P10: does not wait for a store that is away", async () => {
    const { world, worker } = await started(2 * PART, {
      storeScript: () => ({ when: "before", throw: away() }),
    });
    await world.clock.advance(10_000);
    worker.deps.gate.stopWaiting();
    await worker.drain();
    expect([...worker.endings.values()]).toEqual([{ kind: "released" }]);
  });

  it.each([
    ["drained", "drain"],
    ["stopped", "stop"],
  ] as const)(
    "P10: with Redis away, a stream that is %s ends all the same, its lease lapses by itself",
    async (_case, how) => {
      let down = false;
      const { world, worker } = await started(900, {
        checkpointScript: () => (down ? { when: "before", throw: new CheckpointError("away") } : undefined),
      });
      await world.clock.advance(1_000);
      down = true;
      if (how === "drain") await worker.drain();
      else worker.stop();
      await world.clock.until(() => worker.busy === 0);
      expect(worker.bugs).toEqual([]);
      expect([...worker.endings.values()]).toEqual([{ kind: "released" }]);
    },
  );

  it("with SLUICE_ON_TERM=seal completes what nobody is seen writing, and leaves what somebody is", async () => {
    const { world, worker, processor } = await started(PART + 9);
    const held = world.path("held.bin");
    world.disk.append(held, sampleBytes(50, 2));
    world.disk.hold(held);
    await worker.scan();
    processor.sealAtTerm();
    worker.processors.get("stream0002")?.sealAtTerm();
    await world.clock.advance(5_000);
    expect(streams(world)).toMatchObject([
      { status: "completed", completed_by: "term" },
      { status: "opening" },
    ]);
    await worker.drain();
    expect(worker.endings.get("stream0002")).toEqual({ kind: "released" });
  });
});

describe("finalize now", () => {
  it("completes the file as it stands, and survives a crash before it is done", async () => {
    const { world, path, worker, processor } = await started(PART + 9);
    await processor.finalize(false);
    worker.die();
    const next = world.worker();
    await next.scan();
    await world.clock.advance(5_000);
    expect(streams(world)[0]).toMatchObject({ status: "completed", completed_by: "finalize" });
    expect(streams(world)[0]?.requested_action).toBeUndefined();
    expect(holdsFile(world, "a.bin", path)).toBe(true);
  });
});

describe("an abort", () => {
  it("removes the parts from S3, leaves the file, and forgets upload and parts in the step that fails the stream", async () => {
    const { world, path, worker, processor } = await started(2 * PART);
    await world.clock.advance(1_000);
    await processor.abort();
    await worker.work();
    expect(streams(world)[0]).toMatchObject({
      status: "failed_aborted_by_operator",
      next_part: 1,
      bytes_sent: 0,
    });
    expect(world.store.uploads()).toEqual([]);
    expect(world.redis.parts("stream0001").size).toBe(0);
    expect(world.disk.paths()).toEqual([path]);
  });

  it("while parts are in flight leaves none of them behind", async () => {
    const { world, worker, processor } = await started(2 * PART, { storeDelayMs: () => 900 });
    await world.clock.until(() => processor.partsInFlight === 2);
    await world.clock.advance(100);
    await processor.abort();
    await worker.work();
    expect(status(world)).toBe("failed_aborted_by_operator");
    expect(world.store.uploads()).toEqual([]);
  });

  it("of a stream whose volume is away ends the waiting", async () => {
    const { world, worker, processor } = await started(2 * PART);
    world.disk.unmount();
    await world.clock.advance(60_000);
    await processor.abort();
    await worker.work();
    expect(status(world)).toBe("failed_aborted_by_operator");
  });

  it("C23: that dies on the way is repeated without harm", async () => {
    const { world, worker, processor } = await started(2 * PART, {
      dieAt: { failpoint: "aborting", nth: 1 },
    });
    await world.clock.advance(1_000);
    await processor.abort();
    await worker.work();
    expect(worker.dead).toBe(true);
    const next = world.worker();
    await next.scan();
    await next.work();
    expect(status(world)).toBe("failed_aborted_by_operator");
    expect(world.store.uploads()).toEqual([]);
  });

  it("D8c: is kept in the record: after a crash before anything was done for it the next worker aborts", async () => {
    const { world, worker, processor } = await started(2 * PART, {
      dieAt: { failpoint: "abort_asked", nth: 1 },
    });
    await world.clock.advance(1_000);
    void processor.abort();
    await worker.work();
    expect(worker.dead).toBe(true);
    expect(streams(world)[0]).toMatchObject({ status: "processing", requested_action: "abort" });
    await world.worker().work();
    expect(status(world)).toBe("failed_aborted_by_operator");
    expect(streams(world)[0]?.requested_action).toBeUndefined();
    expect(world.store.uploads()).toEqual([]);
    expect(world.store.object(BUCKET, "a.bin")).toBeUndefined();
  });

  it("D8c: with the store away is neither done nor lost: the worker ends, the next one aborts instead of completing", async () => {
    let down = false;
    const { world, worker, processor } = await started(2 * PART, {
      storeScript: () => (down ? { when: "before", throw: away() } : undefined),
    });
    await world.clock.advance(1_000);
    down = true;
    await processor.abort();
    await world.clock.advance(120_000);
    expect(streams(world)[0]).toMatchObject({ status: "processing", requested_action: "abort" });
    worker.die();
    // Sealing looks at the wish first: the file has long been quiet.
    await world.worker().work();
    expect(status(world)).toBe("failed_aborted_by_operator");
    expect(world.store.uploads()).toEqual([]);
    expect(world.store.object(BUCKET, "a.bin")).toBeUndefined();
  });

  it("D8c: whose key the store refuses for good ends the stream, and says what is left", async () => {
    const denied = new StoreError({ trouble: "denied", code: "AccessDenied", message: "no" });
    const { world, worker, processor } = await started(2 * PART, {
      storeScript: ({ method }) => (method === "abort" ? { when: "before", throw: denied } : undefined),
    });
    await world.clock.advance(1_000);
    await processor.abort();
    await worker.work();
    expect(streams(world)[0]).toMatchObject({ status: "failed_aborted_by_operator" });
    expect(streams(world)[0]?.failure_detail).toContain("its upload could not be removed");
    expect(streams(world)[0]?.s3_upload_id).toBeDefined();
  });

  it("P5, S27: that comes while Complete is under way says that the object is there", async () => {
    const abortAt = (name: Failpoint): void => {
      if (name === "completed_in_store") void processor.abort();
    };
    const { world, worker, processor } = await started(PART, { onFailpoint: (name) => abortAt(name) });
    await worker.work();
    expect(status(world)).toBe("failed_aborted_by_operator");
    expect(streams(world)[0]?.failure_detail).toContain("is at a.bin");
    expect(world.store.object(BUCKET, "a.bin")).toBeDefined();
  });
});

describe("a stream that another worker took", () => {
  it("R9, P7: is let go by the first, which writes nothing more", async () => {
    const { world, worker } = await started(2 * PART);
    await world.clock.advance(1_000);
    world.redis.lapse(worker.id);
    worker.lease.isFresh = false;
    const second = world.worker();
    await second.scan();
    world.redis.renew(worker.id);
    await Promise.all([worker.work(), second.work()]);
    expect(worker.endings.get("stream0001")).toMatchObject({ kind: "lost" });
    expect(audit(world)).toEqual([]);
    expect(streams(world)[0]).toMatchObject({ status: "completed", fence: 2, sealed_by: second.id });
  });

  it("that was purged meanwhile is let go", async () => {
    const { world, worker } = await started(900);
    world.redis.empty();
    await worker.work();
    expect(worker.endings.get("stream0001")).toMatchObject({ kind: "lost" });
  });

  it("that cannot even be failed any more is let go", async () => {
    const { world, path, worker } = await started(2 * PART);
    await world.clock.advance(1_000);
    world.disk.delete(path);
    world.redis.lapse(worker.id);
    const second = world.worker();
    await second.scan();
    world.redis.renew(worker.id);
    worker.poke();
    await Promise.all([worker.work(), second.work()]);
    expect(worker.endings.get("stream0001")).toMatchObject({ kind: "lost" });
    expect(worker.bugs).toEqual([]);
  });
});

describe("a record that names a bucket the worker was not given", () => {
  it("D4c: fails its stream with a remedy before the store is asked for anything", async () => {
    const world = testWorld();
    world.disk.append(world.path("a.bin"), sampleBytes(PART, 1));
    const worker = world.worker({ storeDelayMs: () => 5 });
    worker.deps.buckets = ["another"];
    await worker.scan();
    await worker.work();
    expect([...worker.endings.values()]).toEqual([{ kind: "failed", reason: "access_denied" }]);
    expect(streams(world)[0]?.failure_detail).toContain("SLUICE_S3_OLD_BUCKETS");
    expect(world.store.keys()).toEqual([]);
  });
});
