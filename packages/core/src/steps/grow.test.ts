/** A growing file: what is sent while it grows, when it is complete, and what it says while it is not. */
import { describe, expect, it } from "vitest";
import { quickDigests } from "../../test/node-digests.ts";
import { holdsFile, runToEnd, streams, testWorld } from "../../test/test-world.ts";
import { LIMITS } from "../limits.ts";
import type { FailureReason } from "../stream/failures.ts";
import { parseWaiting } from "../stream/waiting.ts";
import { audit } from "../testing/audit.ts";
import { History } from "../testing/history.ts";
import { BUCKET, PART, sampleBytes } from "../testing/test-values.ts";
import type { TestWorker } from "../testing/test-worker.ts";
import type { World, WorldOptions } from "../testing/world.ts";

async function growing(name: string, bytes = 900, options: Partial<WorldOptions> = {}) {
  const world = testWorld(options);
  const path = world.path(name);
  world.disk.append(path, sampleBytes(bytes, 1));
  const worker = world.worker();
  await worker.scan();
  await world.clock.advance(1_000);
  return { world, path, worker };
}

const waitingFor = (world: World) => parseWaiting(streams(world).at(-1)?.waiting_for);

async function pass(world: World, worker: TestWorker, ms: number): Promise<void> {
  worker.poke();
  await world.clock.advance(ms);
}

describe("while a file grows", () => {
  it("full parts go up and the tail stays on disk", async () => {
    const { world } = await growing("a.bin", 2 * PART + 5);
    expect(world.store.uploads()[0]?.parts).toEqual([1, 2]);
    expect(streams(world)[0]).toMatchObject({ status: "processing", next_part: 3, bytes_sent: 2 * PART });
  });

  it("its size reaches Redis between parts, now and then, and growth is counted once", async () => {
    const { world, path, worker } = await growing("a.bin", 100);
    const before = world.redis.writes;
    for (let n = 0; n < 100; n += 1) {
      world.disk.append(path, sampleBytes(10, n + 1));
      await pass(world, worker, 200);
    }
    expect(world.redis.writes - before).toBeLessThanOrEqual(5);
    world.disk.mark(path);
    await worker.work();
    expect(world.redis.stats.bytes_in).toBe(1_000);
    expect(audit(world)).toEqual([]);
  });

  it("what looking costs does not follow the number of writes", async () => {
    const looksAt = async (writesPerSecond: number): Promise<number> => {
      const { world, path, worker } = await growing("a.bin");
      const before = world.files.looks;
      for (let n = 0; n < 60 * writesPerSecond; n += 1) {
        world.disk.append(path, sampleBytes(1, n + 1));
        worker.written();
        await world.clock.advance(1_000 / writesPerSecond);
      }
      return world.files.looks - before;
    };
    const [slow, fast, faster] = [await looksAt(1), await looksAt(20), await looksAt(100)];
    expect(slow).toBeLessThanOrEqual(61);
    expect(fast).toBeLessThanOrEqual(slow + 2);
    expect(faster).toBeLessThanOrEqual(slow + 2);
  });

  it("its marker is looked for now and then, and at once when an event may have named it", async () => {
    const { world, path, worker } = await growing("a.bin");
    const before = world.files.looks;
    for (let n = 0; n < 600; n += 1) {
      world.disk.append(path, sampleBytes(1, n + 1));
      worker.written();
      await world.clock.advance(100);
    }
    // A look at the file in 3 s, and one for the marker in 5 s or the look after that.
    expect(world.files.looks - before).toBeLessThanOrEqual(20 + 10 + 2);
    world.disk.append(path, sampleBytes(1, 1));
    world.disk.mark(path);
    worker.poke();
    await worker.work();
    expect(streams(world)[0]?.completed_by).toBe("marker");
  });

  it("a marker whose event was lost is found by the look after the file's last one", async () => {
    const { world, path, worker } = await growing("a.bin");
    for (let n = 0; n < 100; n += 1) {
      world.disk.append(path, sampleBytes(1, n + 1));
      worker.written();
      await world.clock.advance(100);
    }
    world.disk.mark(path);
    const markedMs = world.clock.monotonicMs();
    await worker.work();
    expect(streams(world)[0]?.completed_by).toBe("marker");
    const most = LIMITS.lookFarFromFullMs + LIMITS.lookAgainMs + LIMITS.lookEveryMs;
    expect(world.clock.monotonicMs() - markedMs).toBeLessThanOrEqual(most);
  });

  it("a part goes up as soon as it is full, however the writes that fill it are spread", async () => {
    for (const writes of [4, 64, 512]) {
      const { world, path, worker } = await growing("a.bin", 1);
      for (let n = 0; n < writes; n += 1) {
        world.disk.append(path, sampleBytes(PART / writes, n + 1));
        worker.written();
        await world.clock.advance(4_000 / writes);
      }
      await world.clock.advance(2 * LIMITS.lookEveryMs);
      expect(world.store.uploads()[0]?.parts, `${writes} writes`).toEqual([1]);
    }
  });

  it("nothing is read again that was sent", async () => {
    const { world, path, worker } = await growing("a.bin", PART);
    world.disk.append(path, sampleBytes(PART, 2));
    await pass(world, worker, 1_000);
    expect(world.files.bytesRead).toBe(2 * PART);
  });

  it("F13: a file that gives fewer bytes than stat promised is not read over and over", async () => {
    const { world, path, worker } = await growing("a.bin", 900);
    const before = worker.reached.length;
    const bytes = world.disk.bytes(path);
    world.disk.append(path, sampleBytes(PART, 2));
    const file = world.disk.file(path);
    if (!file) throw new Error("the file is there");
    file.data = bytes;
    await pass(world, worker, 60_000);
    expect(worker.reached.length - before).toBeLessThan(5);
    expect(world.store.count("uploadPart")).toBe(0);
    expect(streams(world)[0]?.status).toBe("processing");
  });
});

describe("a file is complete", () => {
  it("by idle: quiet for the timeout, and for three times its longest pause", async () => {
    const { world, path, worker } = await growing("a.bin");
    for (let n = 0; n < 3; n += 1) {
      world.disk.append(path, sampleBytes(10, n + 1));
      await pass(world, worker, 20_000);
    }
    await world.clock.advance(35_000);
    expect(waitingFor(world)?.for).toBe("idle");
    await worker.work();
    const [record] = streams(world);
    expect(record?.completed_by).toBe("idle");
    // A file is looked at now and then, so a pause is known to within one look.
    expect(Math.abs((record?.longest_pause_ms ?? 0) - 20_000)).toBeLessThanOrEqual(LIMITS.lookEveryMs);
    expect(world.clock.monotonicMs()).toBeGreaterThanOrEqual(61_000 + 40_000);
  });

  it("by its marker, at once", async () => {
    const { world, path, worker } = await growing("a.bin");
    world.disk.mark(path);
    await pass(world, worker, 100);
    expect(streams(world)[0]).toMatchObject({ status: "completed", completed_by: "marker" });
  });

  it("not by a marker that is older than its last write; it says so", async () => {
    const { world, path, worker } = await growing("a.bin");
    world.disk.mark(path);
    world.disk.append(path, sampleBytes(5, 2));
    await pass(world, worker, 100);
    expect(waitingFor(world)).toEqual({ for: "marker", marker: "a.bin.done" });
    world.disk.mark(path);
    await pass(world, worker, 100);
    expect(streams(world)[0]?.completed_by).toBe("marker");
  });

  it("F31: by the rename that drops its suffix; its key never carried it", async () => {
    const { world, path, worker } = await growing("a.mp4.part", PART + 5);
    await world.clock.advance(3_600_000);
    expect(waitingFor(world)).toEqual({ for: "rename", suffix: ".part" });
    world.disk.rename(path, world.path("a.mp4"));
    await pass(world, worker, 1_000);
    expect(streams(world)[0]).toMatchObject({ status: "completed", completed_by: "rename", s3_key: "a.mp4" });
    expect(world.store.keys()).toEqual(["a.mp4", "a.mp4.metadata.json"]);
    await worker.work();
    expect(audit(world)).toEqual([]);
  });

  it("F31: by a marker of its final name while it bears a suffix, a stale one of the other name notwithstanding", async () => {
    const { world, path, worker } = await growing("a.mp4.part");
    world.disk.mark(path);
    world.disk.append(path, sampleBytes(5, 2));
    world.disk.mark(world.path("a.mp4"));
    await pass(world, worker, 1_000);
    expect(streams(world)[0]).toMatchObject({ status: "completed", completed_by: "marker" });
  });

  it("F31: not by its rename once it was written after that, whoever asks, across a crash", async () => {
    const { world, path, worker } = await growing("a.mp4.part");
    const final = world.path("a.mp4");
    world.disk.hold(path);
    world.disk.rename(path, final);
    await pass(world, worker, 1_000);
    expect(streams(world)[0]?.completed_by).toBe("rename");
    world.disk.append(final, sampleBytes(10, 2));
    await pass(world, worker, 6_000);
    worker.die();
    world.disk.letGo(final);
    const next = world.worker();
    await next.scan();
    await world.clock.advance(5_000);
    expect(waitingFor(world)?.for).toBe("idle");
    await next.work();
    expect(streams(world)[0]?.completed_by).toBe("idle");
  });

  it("never while a process is seen writing it, and it says which", async () => {
    const { world, path, worker } = await growing("a.bin");
    world.disk.hold(path, { pid: 77, command: "ffmpeg" });
    world.disk.mark(path);
    await pass(world, worker, 600_000);
    expect(waitingFor(world)).toEqual({ for: "writer", pid: 77, command: "ffmpeg" });
    world.disk.letGo(path);
    await worker.work();
    expect(streams(world)[0]?.status).toBe("completed");
  });

  it.each([
    ["SLUICE_IGNORE_OPEN says so", { ignoreOpen: true }, false],
    ["an operator forces it", {}, true],
  ])("in spite of a writer when %s", async (_case, rules, force) => {
    const { world, path, worker } = await growing("a.bin", 900, { rules });
    world.disk.hold(path);
    await worker.processors.get("stream0001")?.finalize(force);
    await pass(world, worker, 1_000);
    expect(streams(world)[0]).toMatchObject({ status: "completed", completed_by: "finalize" });
  });
});

describe("a file that is not at its path", () => {
  it("F31: and was renamed inside the watch keeps stream and key", async () => {
    const { world, path, worker } = await growing("a.bin", PART + 5);
    world.disk.rename(path, world.path("b.bin"));
    await worker.work();
    expect(audit(world)).toEqual([]);
    expect(streams(world)).toMatchObject([{ s3_key: "a.bin", original_path: world.path("b.bin") }]);
    expect(holdsFile(world, "a.bin", world.path("b.bin"))).toBe(true);
  });

  it("F32: because its volume is away waits, visibly, and goes on when it is back", async () => {
    const { world, path, worker } = await growing("a.bin", PART + 5);
    world.disk.unmount();
    await pass(world, worker, 3_600_000);
    expect(streams(world)[0]?.status).toBe("processing");
    expect(waitingFor(world)).toEqual({ for: "volume", detail: "its root is gone" });
    world.disk.mount();
    await worker.work();
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
  });

  it("and whose part no record names keeps its upload: nothing else holds those bytes", async () => {
    const history = new History({ digests: quickDigests });
    const breaches = await history.play([
      { do: "append", file: "a.bin", bytes: 6_000_000, seed: 1 },
      { do: "redis fails", when: "before", times: 2 },
      { do: "kill" },
      { do: "delete", file: "a.bin" },
    ]);
    expect(breaches, `\n${history.timeline.join("\n")}\n`).toEqual([]);
    const { store, redis } = history.world;
    expect(store.uploads()).toMatchObject([{ parts: [1] }]);
    expect(streams(history.world)).toMatchObject([{ status: "failed_file_missing_on_resume" }]);
    expect(redis.parts("stream0001").size).toBe(0);
  });

  it("fails, keeps its upload, gives its path free, and heals when the same file returns", async () => {
    const { world, path, worker } = await growing("a.bin", PART + 5);
    const elsewhere = "/elsewhere/a.bin";
    world.disk.rename(path, elsewhere);
    const volume = worker.deps.volume;
    // Out of the watch: nobody sees it there.
    worker.deps.volume = {
      whereabouts: () => Promise.resolve({ kind: "missing" }),
      followed: () => undefined,
    };
    await worker.work();
    expect(streams(world)[0]).toMatchObject({ status: "failed_file_missing" });
    expect(world.redis.holderOfPath("box", path)).toBeUndefined();
    expect(world.store.uploads()).toHaveLength(1);
    worker.deps.volume = volume;
    world.disk.rename(elsewhere, path);
    await worker.work();
    expect(audit(world)).toEqual([]);
    expect(world.store.count("uploadPart")).toBe(2);
  });

  it("and was not when the worker started says so", async () => {
    const { world, path, worker } = await growing("a.bin", PART + 5);
    worker.die();
    world.disk.delete(path);
    await runToEnd(world);
    expect(streams(world)[0]?.failure_reason).toBe("file_missing_on_resume");
  });

  it("F22, D2d: because a FIFO took its place, before any of its bytes were in S3, is no failure", async () => {
    const { world, path, worker } = await growing("a.bin");
    world.disk.putOddity(path);
    await worker.work();
    expect(streams(world)).toEqual([]);
    expect(world.store.uploads()).toEqual([]);
  });
});

describe("another file at the path", () => {
  it.each([
    [
      "F8: takes its place",
      "file_replaced",
      (world: World, path: string) => world.disk.replace(path, sampleBytes(50, 9)),
    ],
    [
      "F4: is the same one, truncated",
      "file_truncated",
      (world: World, path: string) => world.disk.truncate(path, 50),
    ],
  ] as const)(
    "%s: the old stream ends with its upload kept, the new one is stored",
    async (_case, reason: FailureReason, act) => {
      const { world, path, worker } = await growing("a.bin", PART + 5);
      act(world, path);
      await worker.work();
      expect(audit(world)).toEqual([]);
      expect(streams(world)).toMatchObject([
        { status: `failed_${reason}`, superseded_by: "stream0002" },
        { status: "completed", supersedes: "stream0001", s3_key: "a.bin" },
      ]);
      expect(world.store.uploads()).toHaveLength(1);
      expect(holdsFile(world, "a.bin", path)).toBe(true);
    },
  );

  it("P6: that came after the last look, while a part waited for its turn, lends no byte to the old one's upload", async () => {
    const { world, path, worker } = await growing("a.bin", 900);
    const slots = await Promise.all(
      [1, 2].map(() => worker.deps.lane.enter("other", AbortSignal.timeout(60_000))),
    );
    world.disk.append(path, sampleBytes(PART, 2));
    await pass(world, worker, 1_000);
    expect(worker.processors.get("stream0001")?.partsInFlight).toBe(1);
    world.disk.replace(path, sampleBytes(2 * PART, 9));
    for (const slot of slots) slot.release();
    await worker.work();
    expect(audit(world)).toEqual([]);
    // Nothing of the old one was acknowledged, so nothing of it is kept.
    expect(streams(world)).toMatchObject([{ id: "stream0002", status: "completed" }]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
  });

  it("F9: with the inode number of the one before is known by its birth time", async () => {
    const { world, path, worker } = await growing("a.bin", PART + 5, { reuseInodes: true });
    const { inode } = world.disk.facts(path);
    world.disk.replace(path, sampleBytes(3 * PART, 9));
    expect(world.disk.facts(path).inode).toBe(inode);
    await worker.work();
    expect(audit(world)).toEqual([]);
    expect(streams(world).map((record) => record.status)).toEqual(["failed_file_replaced", "completed"]);
  });

  it("F9: without birth times is told after a restart by the bytes of the last part sent", async () => {
    const { world, path, worker } = await growing("a.bin", 2 * PART, {
      birthtimes: false,
      reuseInodes: true,
    });
    worker.die();
    world.disk.replace(path, sampleBytes(3 * PART, 9));
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(streams(world).map((record) => record.status)).toEqual(["failed_file_replaced", "completed"]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
  });

  it("before anything of the first was acknowledged leaves no trace of that one", async () => {
    const { world, path, worker } = await growing("a.bin", 900);
    world.disk.replace(path, sampleBytes(50, 9));
    await worker.work();
    expect(audit(world)).toEqual([]);
    expect(streams(world)).toMatchObject([{ id: "stream0002", status: "completed" }]);
  });
});

describe("a file that cannot be sent", () => {
  it("F27: because it may not be read fails with what to do, and everything kept", async () => {
    const { world, path, worker } = await growing("a.bin", 900);
    world.files.forbid(path);
    world.disk.append(path, sampleBytes(PART, 2));
    await worker.work();
    expect(streams(world)[0]).toMatchObject({ status: "failed_unreadable_file" });
    expect(world.store.uploads()).toHaveLength(1);
  });

  it("F12: because its volume gives an error waits and goes on, with nothing shortened", async () => {
    const { world, path, worker } = await growing("a.bin", 900);
    world.files.failReads(20);
    world.disk.append(path, sampleBytes(PART, 2));
    await pass(world, worker, 1_000);
    expect(waitingFor(world)).toMatchObject({ for: "volume" });
    await worker.work();
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
  });

  it.each([
    ["S3: the store's largest object", { maxObjectBytes: 2 * PART }],
    ["S2: the number of parts the store takes", { maxParts: 2 }],
  ])("because it outgrew %s fails at once, before more is sent in vain (S2, S3)", async (_case, profile) => {
    const { world, worker } = await growing("a.bin", 2 * PART + 1, { profile });
    await worker.work();
    expect(streams(world)[0]?.status).toBe("failed_part_limit");
    expect(world.store.count("uploadPart")).toBe(0);
  });

  it("S2: because it outgrew them after its last part fails, and is not completed short", async () => {
    const { world, path, worker } = await growing("a.bin", 2 * PART, { profile: { maxParts: 2 } });
    expect(world.store.uploads()[0]?.parts).toEqual([1, 2]);
    world.disk.append(path, sampleBytes(5, 2));
    await worker.work();
    expect(streams(world)[0]?.status).toBe("failed_part_limit");
    expect(world.store.object(BUCKET, "a.bin")).toBeUndefined();
  });
});

describe("a file of which S3 holds nothing", () => {
  it.each([
    ["small", 900],
    ["with an upload that holds no part yet", PART + 5],
  ])("D2d: %s, leaves no trace when it disappears", async (_case, bytes) => {
    const world = testWorld();
    const path = world.path("library.db-journal");
    world.disk.append(path, sampleBytes(bytes, 1));
    const failpoint = bytes < PART ? "stream_opened" : "upload_recorded";
    await world.worker({ dieAt: { failpoint, nth: 1 } }).work();
    expect(world.store.uploads()).toHaveLength(bytes < PART ? 0 : 1);
    world.disk.delete(path);
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(streams(world)).toEqual([]);
    expect([...world.store.uploads(), ...world.redis.takenKeys()]).toEqual([]);
    expect(world.redis.stats).toMatchObject({ failures: 0 });
  });

  it("D2c: and that keeps the name for one under a temporary name ends, however it came first", async () => {
    const world = testWorld();
    const path = world.path("movie.mkv");
    world.disk.append(path, new Uint8Array());
    const worker = world.worker();
    await worker.scan();
    const temporary = world.path("movie.mkv.part");
    world.disk.append(temporary, sampleBytes(PART + 5, 1));
    await worker.scan();
    await world.clock.advance(60_000);
    expect(streams(world).map((record) => record.original_path)).toEqual([temporary]);
    expect(worker.endings.get("stream0001")).toEqual({ kind: "removed" });
    expect(streams(world)[0]).toMatchObject({ s3_key: "movie.mkv", status: "processing" });
  });
});

it("D2c: a file with parts in S3 that vanishes under a temporary name is set apart, and its name is free", async () => {
  const { world, path, worker } = await growing("movie.mkv.part", PART + 5);
  await world.clock.advance(10_000);
  world.disk.delete(path);
  worker.poke();
  await worker.work();
  expect(streams(world)[0]).toMatchObject({ status: "failed_file_missing", set_apart: "temporary_name" });
  expect(world.redis.takenKeys()).toEqual([]);
  expect(world.redis.stats).toMatchObject({ failures: 0 });
  expect(audit(world)).toEqual([]);
});
