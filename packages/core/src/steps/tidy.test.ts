/** The local file is touched only when it is the one that was stored, its object stands there, and nobody writes it. */
import { describe, expect, it } from "vitest";
import { lostReply, runToEnd, streams, testWorld } from "../../test/test-world.ts";
import { assert } from "../assert.ts";
import { streamBreaches } from "../stream/invariants.ts";
import { planRetry } from "../stream/plan-retry.ts";
import { audit } from "../testing/audit.ts";
import { BUCKET, PART, equalBytes, sampleBytes } from "../testing/test-values.ts";
import type { World, WorldOptions } from "../testing/world.ts";
import { elapsedMs, tidyDelayMs } from "./tidy.ts";

const HOUR = 3_600_000;
const remove = { afterUpload: { kind: "delete" } } as const;

function withFile(options: Partial<WorldOptions> = {}, bytes = 900): { world: World; path: string } {
  const world = testWorld({ rules: remove, ...options });
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(bytes, 1));
  return { world, path };
}

/** Stored and described; the 10 minutes before its file is deleted run. */
async function waiting(options: Partial<WorldOptions> = {}, bytes = 900) {
  const { world, path } = withFile(options, bytes);
  const worker = world.worker();
  await worker.scan();
  await world.clock.advance(60_000);
  expect(streams(world)[0]).toMatchObject({ status: "s3_completed" });
  return { world, path, worker };
}

describe("P8: the delay", () => {
  it.each([
    ["is 10 minutes after an idle completion", {}, "idle", 600_000],
    ["is none after a marker", {}, "marker", 0],
    ["is none after a rename", {}, "rename", 0],
    ["is what is set, whatever completed the file", { afterUploadDelayMs: 5_000 }, "marker", 5_000],
    ["is not asked for where files are kept", { afterUpload: { kind: "keep" } }, "idle", undefined],
  ] as const)("%s", (_case, rules, completed_by, delayMs) => {
    expect(tidyDelayMs({ completed_by }, { ...remove, ...rules })).toBe(delayMs);
  });

  const TIMES = {
    wallMs: Date.parse("2026-01-01T01:00:00Z"),
    sealedAtUtc: "2026-01-01T00:58:00Z",
    clockSkewMs: 0,
    objectUtc: "2026-01-01T00:58:00Z",
    recognised: false,
  };
  it.each([
    ["counts on where both clocks say so", {}, 120_000],
    ["ignores a clock that jumped while no worker ran", { sealedAtUtc: "2025-12-31T22:58:00Z" }, 120_000],
    ["ignores one that the store's contradicts", { clockSkewMs: -2 * HOUR }, 0],
    ["ignores a store that is ahead", { objectUtc: "2025-12-31T22:58:00Z" }, 120_000],
    ["begins anew where the store does not say when the object came", { objectUtc: undefined }, 0],
    ["begins anew where the object was there before the stream", { recognised: true }, 0],
    ["begins anew where the record does not say when", { sealedAtUtc: undefined }, 0],
    ["begins anew where the clock went back", { wallMs: Date.parse("2026-01-01T00:00:00Z") }, 0],
  ])("D7f: after a restart %s", (_case, over, ms) => {
    expect(elapsedMs({ ...TIMES, ...over })).toBe(ms);
  });

  it("D7f: counts on the monotonic clock: a wall clock that jumps two hours deletes nothing early", async () => {
    const { world, worker, path } = await waiting();
    world.clock.stepWall(2 * HOUR);
    await world.clock.advance(500_000);
    expect(world.disk.paths()).toEqual([path]);
    await worker.work();
    expect(world.disk.paths()).toEqual([]);
  });
});

describe("D7c: a file that waits to be tidied is looked at like any other", () => {
  it("growth completes the stream on what it stored, at once", async () => {
    const { world, worker, path } = await waiting();
    world.disk.append(path, sampleBytes(50, 2));
    await world.clock.advance(10_000);
    expect(streams(world)[0]).toMatchObject({ status: "completed", file_size: 900 });
    expect(worker.endings.get("stream0001")).toEqual({ kind: "completed", changed: true });
    world.rules = { ...world.rules, afterUpload: { kind: "keep" } };
    await worker.work();
    expect(audit(world)).toEqual([]);
    expect(streams(world)).toHaveLength(2);
  });

  it("another file at its path is not kept waiting", async () => {
    const { world, worker, path } = await waiting();
    world.disk.replace(path, sampleBytes(30, 3));
    await world.clock.advance(10_000);
    expect(worker.endings.get("stream0001")).toEqual({ kind: "completed", changed: true });
    expect(world.disk.paths()).toEqual([path]);
  });

  it("renamed it keeps its stream, and is deleted under its new name", async () => {
    const { world, worker, path } = await waiting();
    world.disk.rename(path, world.path("b.bin"));
    await world.clock.advance(10_000);
    expect(streams(world)[0]).toMatchObject({ status: "s3_completed", original_path: world.path("b.bin") });
    await worker.work();
    expect(world.disk.paths()).toEqual([]);
    expect(streams(world)[0]?.tidy_error).toBeUndefined();
  });

  it("D7b: other bytes of the same size under the old mtime are seen by the ctime, and read", async () => {
    const { world, worker, path } = await waiting();
    const before = world.disk.facts(path);
    world.disk.rewrite(path, 10, sampleBytes(20, 7));
    world.disk.setMtime(path, before.mtimeNs);
    await world.clock.advance(10_000);
    expect(worker.endings.get("stream0001")).toEqual({ kind: "completed", changed: true });
    expect(world.disk.paths()).toEqual([path]);
  });

  it("other rights alone are no change: it is read once more, and deleted in time", async () => {
    const { world, worker, path } = await waiting();
    const read = world.files.bytesRead;
    world.disk.changeMode(path);
    await world.clock.advance(60_000);
    expect(world.files.bytesRead - read).toBe(900);
    await worker.work();
    expect(world.disk.paths()).toEqual([]);
  });
});

describe("D5a: right before the file is deleted", () => {
  it.each([900, PART + 10])(
    "an object of %i bytes that no longer exists sends the file again, and only then deletes it",
    { timeout: 60_000 },
    async (bytes) => {
      const { world, worker, path } = await waiting({}, bytes);
      const content = world.disk.bytes(path);
      world.store.deleteObject(BUCKET, "a.bin");
      await worker.work();
      expect(world.disk.paths()).toEqual([]);
      expect(equalBytes(world.store.object(BUCKET, "a.bin")?.bytes ?? new Uint8Array(), content)).toBe(true);
      expect(streams(world)).toMatchObject([
        { status: "failed_verify_mismatch", superseded_by: "stream0002" },
        { status: "completed", supersedes: "stream0001" },
      ]);
      expect(audit(world)).toEqual([]);
    },
  );

  it.each([
    ["of one request", 900],
    ["of parts", PART + 10],
  ])(
    "an object %s that no longer exists, as its file, fails the stream, which no longer says that it is stored",
    { timeout: 60_000 },
    async (_case, bytes) => {
      const { world, worker, path } = await waiting({}, bytes);
      worker.die();
      world.store.deleteObject(BUCKET, "a.bin");
      world.disk.delete(path);
      await runToEnd(world);
      const [record] = streams(world);
      assert(record, "its record is kept");
      expect(record).toMatchObject({
        status: "failed_verify_mismatch",
        failure_detail:
          "its object a.bin no longer exists, and its file is no longer at its path: put the file back and retry, or purge the record",
      });
      expect(record).not.toHaveProperty("sealed_at_utc");
      expect(record).not.toHaveProperty("etag");
      expect(planRetry(record)).toMatchObject({ event: "restarted", words: expect.stringMatching("byte 0") });
      expect(streamBreaches(record, world.redis.parts(record.id))).toEqual([]);
    },
  );

  it("a record that wrongly says that its object is stored keeps the parts of its open upload, the only copy", async () => {
    const { world, path } = withFile({}, PART + 10);
    await world.worker({ dieAt: { failpoint: "part_recorded", nth: 1 } }).work();
    world.redis.tamper("stream0001", {
      status: "s3_completed",
      etag: "x-1",
      sealed_at_utc: "2026-01-01T00:00:00.000Z",
    });
    world.disk.delete(path);
    await runToEnd(world);
    const [record] = streams(world);
    assert(record, "its record is kept");
    expect(record.status).toBe("failed_verify_mismatch");
    expect(world.store.uploads()).toMatchObject([{ uploadId: record.s3_upload_id, parts: [1] }]);
    expect(world.redis.parts(record.id).size).toBe(1);
    expect(planRetry(record)).toMatchObject({ event: "retried" });
    expect(streamBreaches(record, world.redis.parts(record.id))).toEqual([]);
  });

  it("another program's object is left alone: the file goes under the next name", async () => {
    const { world, worker, path } = await waiting();
    const content = world.disk.bytes(path);
    world.store.putForeign(BUCKET, "a.bin", sampleBytes(900, 9), {
      "sluice-stream-id": "x",
      "sluice-file": "y",
    });
    await worker.work();
    expect(world.store.object(BUCKET, "a.bin")?.metadata["sluice-stream-id"]).toBe("x");
    expect(world.store.object(BUCKET, "a-2.bin")?.bytes).toEqual(content);
    expect(world.disk.paths()).toEqual([]);
  });

  it("a store that is away is waited for, and the file keeps its name meanwhile", async () => {
    const { world, path } = withFile();
    let away = false;
    const worker = world.worker({
      storeScript: (call) =>
        away && call.method === "head" ? { when: "before", throw: lostReply() } : undefined,
    });
    await worker.scan();
    await world.clock.advance(60_000);
    away = true;
    await world.clock.advance(HOUR);
    expect(world.disk.paths()).toEqual([path]);
    expect(streams(world)[0]?.status).toBe("s3_completed");
    away = false;
    await worker.work();
    expect(world.disk.paths()).toEqual([]);
  });

  it("a store that hides what is missing leaves the file, and the stream says why", async () => {
    const { world, worker, path } = await waiting({ profile: { headMissingIs404: false } });
    world.store.deleteObject(BUCKET, "a.bin");
    await worker.work();
    expect(world.disk.paths()).toEqual([path]);
    expect(streams(world)[0]).toMatchObject({
      status: "completed",
      tidy_error: expect.stringContaining("403"),
    });
  });

  it.each<[string, Record<string, string | number>]>([
    ["another key", { s3_key: "other.bin" }],
    ["another ETag and checksum", { etag: "0".repeat(32), crc32: "AAAAAA==" }],
    ["another bucket", { s3_bucket: "elsewhere" }],
    ["a stream that never stored anything", { s3_key: "never.bin", etag: "1".repeat(32) }],
  ])("a record that names %s never costs the file, also after a restart", async (_case, forged) => {
    const { world, path } = withFile();
    await world.worker({ dieAt: { failpoint: "described", nth: 1 } }).work();
    const content = world.disk.bytes(path);
    const [id] = world.redis.ids();
    world.redis.tamper(id ?? "", forged);
    // What is recognised as it stands is left alone for an hour.
    await world.worker().work(2 * 3_600_000);
    const kept = world.disk.paths().includes(path);
    const sent = world.store.object(BUCKET, "a.bin")?.bytes;
    expect(kept || (sent && Buffer.compare(sent, content) === 0)).toBe(true);
    expect(streams(world).filter(({ status }) => status === "completed").length).toBeLessThanOrEqual(1);
  });

  it("a record whose file holds other bytes than its object is found out by reading", async () => {
    const { world, path } = withFile({ rules: { ...remove, idleTimeoutMs: 1_000 } });
    await world.worker({ dieAt: { failpoint: "described", nth: 1 } }).work();
    const [id] = world.redis.ids();
    world.disk.rewrite(path, 0, sampleBytes(20, 8));
    const { mtimeNs, ctimeNs } = world.disk.facts(path);
    // As if Redis said that the file had been stored like this.
    world.redis.tamper(id ?? "", { file_mtime_ns: mtimeNs, file_ctime_ns: ctimeNs });
    const content = world.disk.bytes(path);
    await runToEnd(world);
    const held = world.store.keys().map((key) => world.store.object(BUCKET, key)?.bytes);
    expect(held.some((bytes) => bytes && Buffer.compare(bytes, content) === 0)).toBe(true);
  });
});

describe("D7b: writers", () => {
  it("one that holds the file is waited for, and the stream says whom", async () => {
    const { world, worker, path } = await waiting();
    world.disk.hold(path);
    await world.clock.advance(HOUR);
    expect(world.disk.paths()).toEqual([path]);
    expect(streams(world)[0]?.waiting_for).toContain(`"for":"writer","pid":4242`);
    world.disk.letGo(path);
    await worker.work();
    expect(world.disk.paths()).toEqual([]);
  });

  const UNSEEN = "This worker is alone in its PID namespace.";

  it("that cannot be seen keep a file that only silence called complete; the stream says so, before and after", async () => {
    const { world, path } = withFile();
    world.files.hideProcesses(UNSEEN);
    const worker = world.worker();
    await worker.scan();
    await world.clock.advance(60_000);
    expect(streams(world)[0]?.waiting_for).toContain(UNSEEN);
    await worker.work();
    expect(world.disk.paths()).toEqual([path]);
    expect(streams(world)[0]).toMatchObject({
      status: "completed",
      tidy_error: expect.stringContaining(UNSEEN),
    });
  });

  it.each<[string, (world: World, path: string) => void]>([
    ["a marker", (world, path) => world.disk.mark(path)],
    [
      "SLUICE_TIDY_UNSEEN",
      (world) => {
        world.rules = { ...world.rules, tidyUnseen: true };
      },
    ],
    [
      "SLUICE_IGNORE_OPEN",
      (world) => {
        world.rules = { ...world.rules, ignoreOpen: true };
      },
    ],
  ])("that cannot be seen do not keep it after %s", async (_case, allow) => {
    const { world, path } = withFile();
    world.files.hideProcesses(UNSEEN);
    allow(world, path);
    await runToEnd(world);
    expect(world.disk.paths().filter((name) => !name.endsWith(".done"))).toEqual([]);
  });

  it("that cannot be seen do not keep it after a marker that comes during the delay", async () => {
    const { world, path } = withFile();
    world.files.hideProcesses(UNSEEN);
    const worker = world.worker();
    await worker.scan();
    await world.clock.advance(60_000);
    expect(streams(world)[0]).toMatchObject({ completed_by: "idle" });
    world.disk.mark(path);
    await worker.work();
    expect(world.disk.paths()).toEqual([]);
  });
});

it("D7h: at the end of the worker a file that waits to be tidied holds nothing up", async () => {
  const { world, worker, path } = await waiting();
  for (const processor of worker.processors.values()) processor.sealAtTerm();
  await world.clock.advance(100);
  expect(worker.endings.get("stream0001")).toEqual({ kind: "released" });
  expect(world.disk.paths()).toEqual([path]);
  expect(streams(world)[0]).toMatchObject({ status: "s3_completed" });
});

it("D7g: where times are whole seconds, a same-size patch in the second of the last write is in the object", async () => {
  const { world, path } = withFile({ rules: {} });
  world.disk.coarseTimes();
  world.disk.append(path, sampleBytes(100, 2));
  world.disk.mark(path);
  const worker = world.worker();
  await worker.scan();
  await world.clock.advance(300);
  world.disk.rewrite(path, 5, sampleBytes(10, 6));
  await worker.work();
  await worker.work();
  expect(audit(world)).toEqual([]);
});

describe("P8: a file that is rotated away while it waits to be tidied", () => {
  it.each([true, false])(
    "is followed, birth times or not (%s): what has its name is another file",
    async (birthtimes) => {
      const { world, path } = await waiting({ birthtimes });
      world.disk.rename(path, `${path}.1`);
      world.disk.append(path, sampleBytes(2_000, 9));
      await world.clock.advance(5_100);
      expect(streams(world)[0]).toMatchObject({ status: "s3_completed", original_path: `${path}.1` });
      await world.clock.advance(HOUR);
      expect(streams(world)[0]).toMatchObject({ status: "completed" });
      expect(world.disk.paths()).toEqual([path]);
    },
  );
});
