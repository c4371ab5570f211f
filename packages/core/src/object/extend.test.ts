import { describe, expect, it } from "vitest";
import { holdsFile, lostReply, runToEnd, streams, testWorld } from "../../test/test-world.ts";
import { StoreError } from "../errors.ts";
import { MIB } from "../stream/part-plan.ts";
import { audit } from "../testing/audit.ts";
import { atCall, type Script } from "../testing/failing.ts";
import { BUCKET, equalBytes, PART, sampleBytes } from "../testing/test-values.ts";
import type { WorkerOptions } from "../testing/test-worker.ts";
import type { World } from "../testing/world.ts";
import { mayBeEqual } from "./extend.ts";
import type { ComparedRange } from "./matching-bytes.ts";

const TAIL = 1234;
const SIZE = 4 * PART + TAIL;

/** A file of this size was completed. */
async function completed(options: Parameters<typeof testWorld>[0] = {}, size = SIZE) {
  const world = testWorld(options);
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(size, 1));
  await runToEnd(world);
  world.store.log.length = 0;
  return { world, path };
}

/** Bytes that left this host since. */
function sent(world: World): number {
  const bodies = world.store.log.filter(
    ({ op, key }) => (op === "uploadPart" || op === "put") && key === "a.bin",
  );
  return bodies.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
}

function copies(world: World): (number | undefined)[] {
  return world.store.log
    .filter(({ op, outcome }) => op === "copyPart" && outcome === "copied")
    .map(({ part }) => part);
}

/** It is one object again, equal to the file, with nothing left behind. */
function expectWhole(world: World, path: string): void {
  expect(audit(world)).toEqual([]);
  expect(holdsFile(world, "a.bin", path)).toBe(true);
  expect(world.store.keys()).toEqual(["a.bin", "a.bin.metadata.json"]);
}

/** The object is replaced by another program's, whenever this port method is called for the first time. */
function foreignAt(world: World, method: string): Script {
  return (call) => {
    if (call.method === method && call.nth === 1) world.store.putForeign(BUCKET, "a.bin", sampleBytes(99, 9));
    return undefined;
  };
}

const failing = (code: string, status = 500) =>
  new StoreError({ trouble: "failing", code, message: code, status, outcomeUnknown: true });

describe("P13: a completed file that", () => {
  it("grew sends what is new, whatever its parts were before", async () => {
    const { world, path } = await completed();
    world.disk.append(path, sampleBytes(PART + 77, 2));
    await runToEnd(world);
    expectWhole(world, path);
    // What the object's parts leave over is sent with it.
    expect(sent(world)).toBeLessThan(PART + 77 + 10);
    expect(new Set(copies(world))).toEqual(new Set([1, 2, 3, 4]));
    const [, second] = streams(world);
    expect(second).toMatchObject({ part_plan: `copied:${PART + 308}x4+stepped:${PART}` });
    expect(world.redis.log(second?.id ?? "").join("\n")).toContain(
      "copied 20.0 MiB inside the store, sent 5.0 MiB",
    );
  });

  it("grows again and again costs what was added each time", async () => {
    const { world, path } = await completed({}, 24 * MIB);
    for (let round = 0; round < 12; round += 1) {
      world.disk.append(path, sampleBytes(65_536, round + 2));
      await runToEnd(world);
    }
    expectWhole(world, path);
    expect(sent(world)).toBeLessThan(12 * (65_536 + 10));
  });

  it.each([
    ["its header", 40, [2, 3, 4]],
    ["bytes in its third part", 3 * PART - 9, [1, 2, 4]],
  ])("has %s rewritten sends that part alone", async (_what, at, kept) => {
    const { world, path } = await completed();
    world.disk.rewrite(path, at, new Uint8Array([1, 2, 3, 4]));
    await runToEnd(world);
    expectWhole(world, path);
    expect(sent(world)).toBeLessThanOrEqual(PART + 308 + 10);
    const recorded = [...world.redis.parts("stream0002").values()];
    expect(recorded.filter((part) => part.Copied).map((part) => part.PartNumber)).toEqual(kept);
  });

  it("fits into one Put is extended all the same, once it has more than S3's smallest part", async () => {
    const { world, path } = await completed({}, PART + 1);
    world.disk.append(path, sampleBytes(1_000, 2));
    await runToEnd(world, { bufferBytes: 2 * PART });
    expectWhole(world, path);
    expect([sent(world), copies(world)]).toEqual([1_000, [1]]);
  });

  it("has less than that goes up whole", async () => {
    const { world, path } = await completed({}, 200_000);
    world.disk.append(path, sampleBytes(1_000, 2));
    await runToEnd(world);
    expectWhole(world, path);
    expect([sent(world), copies(world)]).toEqual([201_000, []]);
  });

  it("grew goes up whole where the store copies nothing", async () => {
    const { world, path } = await completed({ profile: { copiesRanges: false } });
    world.disk.append(path, sampleBytes(1_000, 2));
    await runToEnd(world);
    expectWhole(world, path);
    expect([sent(world), copies(world)]).toEqual([SIZE + 1_000, []]);
  });

  it("grew is copied in equal parts where the store wants them", async () => {
    const plan = { kind: "uniform" as const, partBytes: PART, expectedMaxBytes: 100 * MIB, maxParts: 10_000 };
    const { world, path } = await completed({ rules: { plan } });
    world.disk.append(path, sampleBytes(1_000, 2));
    await runToEnd(world);
    expectWhole(world, path);
    expect([sent(world), copies(world).length]).toEqual([TAIL + 1_000, 4]);
    expect(streams(world)[1]?.part_plan).toBe(`copied:${PART}x4+uniform:${PART}`);
  });
});

describe("what proves a copied part", () => {
  it.each([
    ["the CRC32 of the store's reply", {}],
    ["an ETag that is an MD5", { checksum: "md5" }],
    ["the range read back, where the store tells nothing", { checksum: "off", etagIsMd5: false }],
  ] as const)("is %s", async (_what, profile) => {
    const { world, path } = await completed({ profile });
    world.disk.rewrite(path, 2 * PART, sampleBytes(64, 3));
    world.disk.append(path, sampleBytes(1_000, 2));
    await runToEnd(world);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(copies(world).length).toBeGreaterThanOrEqual(3);
    expect(sent(world)).toBeLessThanOrEqual(PART + 400 + 1_000 + TAIL);
  });

  it("is never the word of the store alone: what it copied otherwise is sent", async () => {
    const { world, path } = await completed();
    world.disk.append(path, sampleBytes(1_000, 2));
    const answer = { kind: "copied", etag: "another", crc32: "AAAAAA==" };
    await runToEnd(world, { storeScript: atCall("copyPart", 2, { answer, made: true }) });
    expectWhole(world, path);
    expect(sent(world)).toBeLessThan(PART + 308 + 1_000 + 10);
  });
});

describe("an object that is replaced by another program's", () => {
  it.each([
    ["before the first copy", "copyPart"],
    ["while the upload is opened", "createUpload"],
    ["before Complete", "complete"],
  ])("%s is a conflict, and stays as it is", async (_when, method) => {
    const { world, path } = await completed();
    world.disk.append(path, sampleBytes(1_000, 2));
    await runToEnd(world, { storeScript: foreignAt(world, method) });
    const [, second] = streams(world);
    expect(second?.status).toBe("failed_object_conflict");
    expect(
      equalBytes(world.store.object(BUCKET, "a.bin")?.bytes ?? new Uint8Array(), sampleBytes(99, 9)),
    ).toBe(true);
    if (method !== "complete") expect(sent(world)).toBe(0);
  });
});

describe("trouble while copying", () => {
  it("an object that was removed meanwhile is made anew from the file", async () => {
    const { world, path } = await completed();
    world.disk.append(path, sampleBytes(1_000, 2));
    const removed: Script = (call) => {
      if (call.method === "copyPart" && call.nth === 2) world.store.deleteObject(BUCKET, "a.bin");
      return undefined;
    };
    await runToEnd(world, { storeScript: removed, slots: 1 });
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(audit(world)).toEqual([]);
    expect(copies(world)).toEqual([1]);
    expect(streams(world)[1]?.extends).toBeUndefined();
  });

  it.each<[string, WorkerOptions["storeScript"], number]>([
    [
      "a lost reply is looked up, and not asked for again",
      atCall("copyPart", 1, { when: "after", throw: lostReply() }),
      0,
    ],
    [
      "a copy that never arrived is asked for again",
      atCall("copyPart", 1, { when: "before", throw: lostReply() }),
      0,
    ],
    [
      "a store that refuses is sent the bytes",
      (call) =>
        call.method === "copyPart" ? { answer: { kind: "refused", detail: "no" }, made: false } : undefined,
      4,
    ],
    [
      "so is one that answers every copy with an error",
      (call) =>
        call.method === "copyPart" ? { when: "before", throw: failing("InternalError") } : undefined,
      4,
    ],
  ])("%s", async (_what, storeScript, parts) => {
    const { world, path } = await completed();
    world.disk.append(path, sampleBytes(1_000, 2));
    await runToEnd(world, { ...(storeScript && { storeScript }) });
    expectWhole(world, path);
    expect(sent(world) - 1_000).toBeLessThan(parts * (PART + 308) + 10);
    expect(sent(world) - 1_000).toBeGreaterThanOrEqual(parts * (PART + 308));
  });

  it("an upload that the store removed is opened again, and its parts copied once more", async () => {
    const { world, path } = await completed();
    world.disk.append(path, sampleBytes(1_000, 2));
    const dropped: Script = (call) => {
      if (call.method !== "copyPart" || call.nth !== 3) return undefined;
      world.store.uploads().forEach(({ uploadId }) => world.store.dropUpload(uploadId));
      return undefined;
    };
    await runToEnd(world, { storeScript: dropped });
    expectWhole(world, path);
    expect(sent(world)).toBeLessThan(1_000 + 10);
  });

  it("P4: an emptied Redis costs no byte: the upload is found again on the same plan, and its copies are kept", async () => {
    const { world, path } = await completed();
    world.disk.append(path, sampleBytes(1_000, 2));
    await runToEnd(world, { dieAt: { failpoint: "part_recorded", nth: 3 } });
    world.redis.empty();
    await runToEnd(world, { recognise: true });
    expectWhole(world, path);
    expect(sent(world)).toBeLessThan(1_000 + 10);
    expect(world.store.count("createUpload")).toBe(1);
  });

  it("a file that is written at while its parts are copied is whole in the end", async () => {
    const { world, path } = await completed();
    world.disk.append(path, sampleBytes(1_000, 2));
    const written: Script = (call) => {
      if (call.method === "copyPart" && call.nth === 4) world.disk.rewrite(path, 77, sampleBytes(16, 5));
      return undefined;
    };
    await runToEnd(world, { storeScript: written });
    expectWhole(world, path);
    expect(sent(world)).toBeLessThan(PART + 308 + 1_000 + 10);
  });
});

describe("which parts are worth a copy", () => {
  const plan = { kind: "copied", count: 3, copiedBytes: PART, rest: "stepped", partBytes: PART } as const;
  const range = (offset: number, bytes: number, is: ComparedRange["is"]): ComparedRange => ({
    offset,
    bytes,
    is,
  });
  it.each<[string, ComparedRange[], number[]]>([
    ["all, where nothing is known", [], [1, 2, 3]],
    ["all, where nothing was compared", [range(0, 3 * PART, "unread")], [1, 2, 3]],
    [
      "not one that holds a differing range whole",
      [range(0, PART, "different"), range(PART, PART, "same")],
      [2, 3],
    ],
    ["but one that only touches it", [range(PART - 9, PART, "different")], [1, 2, 3]],
    ["all, where the whole object is one differing range", [range(0, 3 * PART, "different")], [1, 2, 3]],
  ])("%s", (_what, ranges, numbers) => {
    expect([1, 2, 3].filter((n) => mayBeEqual(plan, n, ranges))).toEqual(numbers);
  });
});
