import type { StreamRecord } from "@sluice/core";
import { newStream, ROOT, World } from "@sluice/core/testing";
import { expect, test, vi } from "vitest";
import { nativeDigests } from "../files/native-digests.ts";
import { ProcessorPool, type PoolDeps } from "./processor-pool.ts";
import type { Watch } from "../files/watch/watch.ts";

async function scene() {
  const world = new World({ digests: nativeDigests });
  const { deps: processing } = world.worker();
  world.disk.append(world.path("a"), new Uint8Array([1, 2, 3]));
  const look = await world.files.look(world.path("a"));
  if (look.kind !== "file") throw new Error("the file was just written");
  const record = newStream({ path: world.path("a"), watch: "in", facts: look.facts });
  const watch: Watch = { name: "in", root: ROOT, keyPrefix: "", rules: world.rules };
  await processing.checkpoints.open({ record, log: [] });
  const stop = new AbortController();
  const deps = {
    processing,
    onBegin: vi.fn<(record: StreamRecord) => void>(),
    onEnd: vi.fn<PoolDeps["onEnd"]>(),
    takeUp: vi.fn<(id: string) => Promise<void>>(() => Promise.resolve()),
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
  };
  return { world, record, watch, deps, stop, pool: new ProcessorPool(deps, stop.signal) };
}

test("a stream that stops because of a fault of ours is taken up again, ten seconds later", async () => {
  const { world, record, watch, deps, pool } = await scene();
  deps.processing.files.look = () => Promise.reject(new TypeError("a bug"));
  pool.start({ because: "found", record, watch });
  await vi.waitFor(() => expect(deps.onEnd).toHaveBeenCalledWith({ kind: "faulty" }, expect.anything()));
  expect(pool.running.size).toBe(0);
  expect(deps.takeUp).not.toHaveBeenCalled();
  await world.clock.advance(10_000);
  await vi.waitFor(() => expect(deps.takeUp).toHaveBeenCalledExactlyOnceWith("s1"));
});

test("draining gives every stream back", async () => {
  const { world, record, watch, deps, pool } = await scene();
  pool.start({ because: "found", record, watch });
  const drained = pool.drain();
  await world.clock.drive(drained);
  expect(deps.onEnd).toHaveBeenCalledWith({ kind: "released" }, expect.anything());
  expect(pool.running.size).toBe(0);
});

test("D4b: one that stops again and again rests twice as long each time, and is named with its reason", async () => {
  const { world, record, watch, deps, pool } = await scene();
  deps.processing.files.look = () => Promise.reject(new TypeError("a bug"));
  let taken = 0;
  deps.takeUp.mockImplementation((id) => {
    taken += 1;
    using held = pool.hold([id]);
    expect(held.has(id)).toBe(true);
    pool.start({ because: "resumed", record, watch });
    return Promise.resolve();
  });
  pool.start({ because: "found", record, watch });
  for (const [times, restMs] of [10_000, 20_000, 40_000].entries()) {
    await vi.waitFor(() => expect(deps.onEnd).toHaveBeenCalledTimes(times + 1));
    expect(pool.isFree("s1")).toBe(false);
    expect(pool.faults).toEqual(times < 2 ? [] : ["stream s1 stopped 3 times because of a bug: a bug"]);
    await world.clock.advance(restMs - 1);
    expect(taken).toBe(times);
    await world.clock.advance(1);
    await vi.waitFor(() => expect(taken).toBe(times + 1));
  }
});

test("a stream that runs, or that somebody is about to start, is not held for another start", async () => {
  const { world, record, watch, pool } = await scene();
  {
    using held = pool.hold(["s1", "s2"]);
    using late = pool.hold(["s1", "s3"]);
    expect(["s1", "s2"].filter((id) => held.has(id))).toEqual(["s1", "s2"]);
    expect(["s1", "s3"].filter((id) => late.has(id))).toEqual(["s3"]);
    pool.start({ because: "resumed", record, watch });
  }
  using afterwards = pool.hold(["s1", "s2"]);
  expect(["s1", "s2"].filter((id) => afterwards.has(id))).toEqual(["s2"]);
  await world.clock.drive(pool.drain());
});

test("a stream is started once, and what exists already only by whoever holds it", async () => {
  const { world, record, watch, pool } = await scene();
  for (const because of ["resumed", "retried", "recovered", "adopted"] as const)
    expect(() => pool.start({ because, record, watch })).toThrow("but was not held");
  pool.start({ because: "found", record, watch });
  expect(() => pool.start({ because: "successor", record, watch })).toThrow("runs already");
  expect(pool.running.size).toBe(1);
  await world.clock.drive(pool.drain());
});
