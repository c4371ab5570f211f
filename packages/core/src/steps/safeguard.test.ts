/** The tail of a growing file: when it goes up, what it replaces and is replaced by, and what counts as protected. */
import { describe, expect, it } from "vitest";
import { quickDigests } from "../../test/node-digests.ts";
import { holdsFile, lostReply, runToEnd, streams, testWorld } from "../../test/test-world.ts";
import { LIMITS } from "../limits.ts";
import { audit } from "../testing/audit.ts";
import type { Script } from "../testing/failing.ts";
import { BUCKET, PART, sampleBytes } from "../testing/test-values.ts";
import type { WorkerOptions } from "../testing/test-worker.ts";
import type { World, WorldOptions } from "../testing/world.ts";

const WINDOW = 10_000;
const KIB = 1024;

async function guarded(options: { world?: Partial<WorldOptions>; worker?: WorkerOptions } = {}) {
  const world = testWorld(options.world);
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(100, 1));
  const worker = world.worker({ safeguardMs: WINDOW, ...options.worker });
  await worker.scan();
  /** Writes so many bytes once a second. */
  const write = async (seconds: number, bytesPerSecond: number): Promise<void> => {
    for (let n = 0; n < seconds; n += 1) {
      world.disk.append(path, sampleBytes(bytesPerSecond, n + 2));
      worker.written();
      worker.poke();
      await world.clock.advance(1_000);
    }
  };
  return { world, path, worker, write };
}

const uploads = (world: World) => world.store.log.filter(({ op }) => op === "uploadPart");
const record = (world: World) => streams(world).at(-1);

/** Bytes of the file that S3 holds in an unbroken run. */
function inStore(world: World): number {
  const [upload] = world.store.uploads();
  const last = uploads(world).filter(({ outcome }) => outcome === "stored");
  const sizes = new Map(last.map(({ part, bytes }) => [part, bytes ?? 0]));
  let sum = 0;
  for (const number of upload?.parts ?? []) sum += sizes.get(number) ?? 0;
  return sum;
}

describe("with the safeguard on", () => {
  it("P12: a tail goes up within the window, before the first part is full too, and again as it grows", async () => {
    const { world, path, write } = await guarded();
    for (let second = 1; second <= 60; second += 1) {
      await write(1, 3 * KIB);
      // What the last window and one look wrote may be missing.
      const missing = world.disk.bytes(path).length - inStore(world);
      if (second > 12) expect(missing, `after ${second} s`).toBeLessThanOrEqual(12 * 3 * KIB);
    }
    expect(new Set(uploads(world).map(({ part }) => part))).toEqual(new Set([1]));
    expect(uploads(world).length).toBeLessThanOrEqual(7);
    expect(world.store.count("createUpload")).toBe(1);
    expect(record(world)).toMatchObject({ status: "processing", next_part: 2 });
    expect(record(world)?.protected_bytes).toBe(record(world)?.bytes_sent);
  });

  it("the full part takes the tail's place under its number; the object is the file", async () => {
    const { world, path, write, worker } = await guarded();
    await write(32, 300 * KIB);
    expect(uploads(world).map(({ part }) => part)).toContain(2);
    expect(uploads(world).filter(({ part, bytes }) => part === 1 && bytes === PART)).toHaveLength(1);
    await worker.work();
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(audit(world)).toEqual([]);
  });

  it("what is counted as sent is what went up anew, each byte once", async () => {
    const { world, path, write, worker } = await guarded();
    await write(40, 300 * KIB);
    await worker.work();
    expect(world.redis.stats.bytes_sent).toBe(world.disk.bytes(path).length);
  });

  it("a small file that nobody writes any more goes up in its one PutObject", async () => {
    const { world, path, worker } = await guarded({ worker: { safeguardMs: 30_000 } });
    await worker.work();
    expect([world.store.count("createUpload"), world.store.count("put")]).toEqual([0, 2]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
  });

  it("one that a process still holds open is protected", async () => {
    const { world, path, worker } = await guarded();
    world.disk.hold(path);
    await world.clock.advance(31_000);
    worker.poke();
    await world.clock.advance(6_000);
    expect(record(world)).toMatchObject({ protected_bytes: 100, status: "processing" });
  });

  it("one under a temporary name is protected, and never completed", async () => {
    const world = testWorld();
    world.disk.append(world.path("a.mp4.part"), sampleBytes(100, 1));
    const worker = world.worker({ safeguardMs: WINDOW });
    await worker.scan();
    await world.clock.advance(60_000);
    expect(record(world)).toMatchObject({ protected_bytes: 100, status: "processing" });
  });

  it("equal parts, where the store wants them, have a shorter one at the end like any other", async () => {
    const plan = { kind: "uniform", partBytes: PART, expectedMaxBytes: PART, maxParts: 10_000 } as const;
    const { world, path, write, worker } = await guarded({ world: { rules: { plan } } });
    await write(30, 300 * KIB);
    expect(record(world)?.protected_bytes).toBeGreaterThan(PART);
    await worker.work();
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(audit(world)).toEqual([]);
  });

  it("C30: a worker that is killed leaves a short part, and the next one goes on from it", async () => {
    const { world, path, write, worker } = await guarded();
    await write(15, 3 * KIB);
    worker.die();
    const before = uploads(world).length;
    await runToEnd(world, { safeguardMs: WINDOW });
    expect(uploads(world).length - before).toBeLessThanOrEqual(2);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(audit(world)).toEqual([]);
  });

  it("P7: a worker whose lease is not fresh puts no short part anywhere", async () => {
    const { world, write, worker } = await guarded();
    await write(12, 3 * KIB);
    const before = uploads(world).length;
    worker.lease.isFresh = false;
    await write(30, 3 * KIB);
    expect(uploads(world)).toHaveLength(before);
    worker.lease.isFresh = true;
    await write(6, 3 * KIB);
    expect(uploads(world).length).toBeGreaterThan(before);
  });

  it("P9: many slow files share one slot and the budget; the one that waits for longest goes first", async () => {
    const world = testWorld();
    const tailBudget = {
      traffic: { kind: "rate", bytesPerSecond: 1024 * KIB },
      requestsPerSecond: 2,
    } as const;
    const worker = world.worker({ safeguardMs: WINDOW, tailBudget });
    const paths = Array.from({ length: 40 }, (_, n) => world.path(`${n}.log`));
    for (let second = 0; second < 120; second += 1) {
      for (const [n, path] of paths.entries()) world.disk.append(path, sampleBytes(200, n + second));
      if (second === 0) await worker.scan();
      worker.written();
      await world.clock.advance(1_000);
    }
    expect(uploads(world).length).toBeLessThanOrEqual(2 * 120 + 2);
    // Every file has had its turn: 40 of them, four requests to open and one for each tail, two a second.
    expect(streams(world).map(({ protected_bytes: bytes = 0 }) => bytes > 0)).not.toContain(false);
    expect(worker.deps.safeguard?.reachedMs).toBeGreaterThan(WINDOW);
  });
});

describe("an upload for a tail alone", () => {
  it("is judged when the file is complete, as the Put it stands for: another recording takes the next name", async () => {
    const { world, path, worker } = await guarded();
    await worker.work();
    const first = world.disk.bytes(path);
    expect(world.store.keys()).toEqual(["a.bin", "a.bin.metadata.json"]);
    world.disk.append(path, sampleBytes(50, 7));
    await worker.scan();
    await world.clock.advance(WINDOW + 5_000);
    // It is the same file, longer: an upload at its earlier object's key protects what came.
    expect(world.store.uploads().map(({ key, parts }) => [key, parts])).toEqual([["a.bin", [1]]]);
    // Emptied and written anew between two looks.
    world.disk.truncate(path, 0);
    world.disk.append(path, sampleBytes(4_000, 99));
    await worker.work();
    expect(world.store.object(BUCKET, "a.bin")?.bytes).toEqual(first);
    expect(holdsFile(world, "a-2.bin", path)).toBe(true);
    expect(audit(world)).toEqual([]);
  });

  it("extends its earlier object where that still stands", async () => {
    const { world, path, worker } = await guarded();
    await worker.work();
    world.disk.append(path, sampleBytes(50, 7));
    await worker.scan();
    await world.clock.advance(WINDOW + 5_000);
    await worker.work();
    expect(world.store.keys()).toEqual(["a.bin", "a.bin.metadata.json"]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(audit(world)).toEqual([]);
  });

  it("takes the next name at once where another program put an object at its key meanwhile", async () => {
    const { world, path, worker, write } = await guarded();
    await write(15, 3 * KIB);
    world.store.putForeign(BUCKET, "a.bin", sampleBytes(9, 9));
    await worker.work();
    expect(world.store.object(BUCKET, "a.bin")?.bytes).toEqual(sampleBytes(9, 9));
    expect(holdsFile(world, "a-2.bin", path)).toBe(true);
    expect(record(world)?.status).toBe("completed");
    expect(audit(world)).toEqual([]);
  });
});

describe("a short part of unknown outcome", () => {
  /** The first request for a part is not answered, and has not been carried out. */
  const lost = (): Script => {
    let done = false;
    return ({ method }) => {
      if (method !== "uploadPart" || done) return undefined;
      done = true;
      return { when: "before", throw: lostReply() };
    };
  };

  it("P12: what follows under its number counts once S3 shows it after the deadline, and goes again otherwise", async () => {
    const { world, path, write, worker } = await guarded({ worker: { storeScript: lost() } });
    await write(12, 3 * KIB);
    // It was sent again with the same bytes, and acknowledged.
    const short = world.disk.bytes(path).slice(0, uploads(world)[0]?.bytes);
    expect(record(world)).toMatchObject({ protected_bytes: 0 });
    await write(4, 2_000 * KIB);
    expect(record(world)?.bytes_sent).toBeGreaterThanOrEqual(PART);
    expect(record(world)?.protected_bytes).toBe(0);
    // The first request, given up long since, is carried out now.
    world.store.overwritePart(world.store.uploads()[0]?.uploadId ?? "", 1, short);
    await write(10, 3 * KIB);
    expect(record(world)?.protected_bytes).toBe(0);
    await world.clock.advance(LIMITS.storeBodyBaseMs);
    await write(2, 3 * KIB);
    expect(record(world)?.protected_bytes).toBeGreaterThanOrEqual(PART);
    const full = uploads(world).filter(({ part, bytes }) => part === 1 && bytes === PART);
    expect(full).toHaveLength(2);
    await worker.work();
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(audit(world).filter((breach) => !breach.endsWith("was sent twice"))).toEqual([]);
  });

  it("that never comes costs one ListParts, and nothing goes again", async () => {
    const { world, path, write, worker } = await guarded({ worker: { storeScript: lost() } });
    await write(90, 300 * KIB);
    expect(uploads(world).filter(({ part, bytes }) => part === 1 && bytes === PART)).toHaveLength(1);
    expect(record(world)?.protected_bytes).toBe(record(world)?.bytes_sent);
    // One look-up of the request itself, one after its deadline.
    expect(world.store.count("listParts")).toBe(2);
    await worker.work();
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(audit(world)).toEqual([]);
  });

  it("of a worker that was killed is waited out by the next one", async () => {
    const { world, write, worker } = await guarded();
    await write(15, 3 * KIB);
    expect(record(world)?.protected_bytes).toBeGreaterThan(0);
    worker.die();
    const next = world.worker({ safeguardMs: WINDOW });
    await next.scan();
    world.disk.append(world.path("a.bin"), sampleBytes(1_000 * KIB, 9));
    next.poke();
    await world.clock.advance(1_000);
    const [processor] = next.processors.values();
    expect(processor?.unprotectedBytes).toBe(world.disk.bytes(world.path("a.bin")).length);
  });

  it("may be the first tail of all: the next worker waits it out too", async () => {
    const storeScript: Script = ({ method }) =>
      method === "uploadPart" ? { when: "before", die: true } : undefined;
    const { world, write, worker } = await guarded({ worker: { storeScript } });
    await write(12, 3 * KIB);
    expect(worker.dead).toBe(true);
    expect(record(world)).toMatchObject({ status: "processing", protected_bytes: 0 });
    world.redis.lapse(worker.id);
    const next = world.worker({ safeguardMs: WINDOW });
    await next.scan();
    await world.clock.advance(20_000);
    const [processor] = next.processors.values();
    expect(processor?.parts.size).toBe(1);
    expect(processor?.unprotectedBytes).toBe(world.disk.bytes(world.path("a.bin")).length);
  });

  it("does not outlive the seal: Complete names every part by its ETag", async () => {
    const { world, path, write, worker } = await guarded({ worker: { storeScript: lost() } });
    await write(12, 3 * KIB);
    world.disk.mark(path);
    await worker.work();
    expect(record(world)).toMatchObject({
      status: "completed",
      protected_bytes: world.disk.bytes(path).length,
    });
    expect(audit(world)).toEqual([]);
  });
});

it("without the safeguard the tail waits for the seal, and the record says nothing of it", async () => {
  const world = testWorld({ digests: quickDigests });
  world.disk.append(world.path("a.bin"), sampleBytes(2 * PART + 5, 1));
  const worker = world.worker();
  await worker.scan();
  await world.clock.advance(20_000);
  expect(uploads(world).map(({ part }) => part)).toEqual([1, 2]);
  await worker.work();
  expect(record(world)).not.toHaveProperty("protected_bytes");
});
