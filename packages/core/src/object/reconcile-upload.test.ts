/** A resumed stream asks S3 once before it sends: what both know is kept, what S3 alone has is compared, the rest goes. */
import { describe, expect, it } from "vitest";
import { quickDigests } from "../../test/node-digests.ts";
import { holdsFile, runToEnd, streams, testWorld, WEAK_PROFILE } from "../../test/test-world.ts";
import { crc32ToBase64 } from "./crc32.ts";
import { formatPlan, partOffset, type PartPlan } from "../stream/part-plan.ts";
import type { Part } from "../stream/record.ts";
import { audit } from "../testing/audit.ts";
import { MemoryCheckpointStore } from "../testing/memory-checkpoint-store.ts";
import { BUCKET, PART, sampleBytes } from "../testing/test-values.ts";
import type { World, WorldOptions } from "../testing/world.ts";
import { md5Hex } from "./part-bytes.ts";
import type { ListedPart } from "../ports/object-store.ts";
import { reconcile } from "./reconcile-upload.ts";

const plan: PartPlan = { kind: "stepped", partBytes: PART };
const known = (n: number, ETag = `e${n}`, Size = PART): Part => ({
  PartNumber: n,
  ETag,
  Size,
  Offset: partOffset(plan, n),
});
const listed = (n: number, ETag = `e${n}`, Size = PART): ListedPart => ({ PartNumber: n, ETag, Size });
const map = (...parts: Part[]): Map<number, Part> => new Map(parts.map((part) => [part.PartNumber, part]));
const numbers = (parts: { PartNumber: number }[]): number[] => parts.map((part) => part.PartNumber);

describe("checkpoint against S3", () => {
  it("C7: keeps what both say", () => {
    const found = reconcile(map(known(1), known(2)), [listed(1), listed(2)], plan);
    expect(numbers(found.keep)).toEqual([1, 2]);
    expect(found.check).toEqual([]);
    expect(found.forget).toEqual([]);
  });

  it("C5: asks for the bytes of a part that only S3 knows", () => {
    const found = reconcile(map(known(1)), [listed(1), listed(2)], plan);
    expect(found.check).toEqual([{ listed: listed(2), offset: PART }]);
  });

  it("C11: asks for the bytes of a part that S3 has under another ETag", () => {
    const found = reconcile(map(known(1)), [listed(1, "new")], plan);
    expect(found.keep).toEqual([]);
    expect(found.check).toEqual([{ listed: listed(1, "new"), offset: 0 }]);
    expect(found.forget).toEqual([]);
  });

  it("C12: asks for the bytes of a tail that S3 has longer", () => {
    const found = reconcile(map(known(1, "e1", 5)), [listed(1, "e1", 9)], plan);
    expect(found.check).toEqual([{ listed: listed(1, "e1", 9), offset: 0 }]);
  });

  it("forgets what S3 does not have", () => {
    expect(reconcile(map(known(1), known(2)), [listed(1)], plan).forget).toEqual([2]);
  });

  it("has no use for a part that no grid of ours has, and forgets what it stands in for", () => {
    const found = reconcile(
      map(known(1)),
      [listed(1, "x", PART + 1), listed(0), listed(10_001), listed(3, "z", 0)],
      plan,
    );
    expect(found).toEqual({ keep: [], check: [], forget: [1] });
  });

  it("S2: asks for the bytes of the last part there can be", () => {
    const found = reconcile(map(), [listed(10_000)], plan);
    expect(found.check.map(({ offset }) => offset)).toEqual([partOffset(plan, 10_000)]);
  });

  it("has no use for a founding upload's part that no record describes", () => {
    const founding: PartPlan = { kind: "listed", count: 2, bytes: 12_000_000, partBytes: PART };
    expect(reconcile(map(), [listed(2)], founding)).toEqual({ keep: [], check: [], forget: [] });
  });

  it("knows the parts of a founding record by their records, and the others by the grid", () => {
    const founding: PartPlan = { kind: "listed", count: 2, bytes: 12_000_000, partBytes: PART };
    const parts = map(
      { PartNumber: 1, ETag: "e1", Size: 6_000_000, Offset: 0 },
      { PartNumber: 2, ETag: "e2", Size: 6_000_000, Offset: 6_000_000 },
    );
    const seen = [listed(1, "e1", 6_000_000), listed(2, "new", 6_000_000), listed(3, "e3", 99)];
    const found = reconcile(parts, seen, founding);
    expect(numbers(found.keep)).toEqual([1]);
    expect(found.check.map(({ offset }) => offset)).toEqual([6_000_000, 12_000_000]);
    expect(reconcile(parts, [listed(2, "e2", 5)], founding).forget).toEqual([1, 2]);
  });
});

function withFile(options: Partial<WorldOptions> = {}): { world: World; path: string } {
  const world = testWorld(options);
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(2 * PART + 9, 1));
  return { world, path };
}

const sent = (world: World): number => world.store.count("uploadPart");

describe("a part acknowledged and not in the checkpoint", () => {
  it.each([
    ["C5: by its CRC32", {}, 3],
    ["C5: by an ETag that is its MD5", { checksum: "md5" as const }, 3],
    ["C5: not where no digest tells; then it goes again", WEAK_PROFILE, 4],
  ])("is adopted %s", async (_case, profile, parts) => {
    const { world, path } = withFile({ profile });
    await world.worker({ dieAt: { failpoint: "part_acknowledged", nth: 2 }, slots: 1 }).work();
    await runToEnd(world);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(sent(world)).toBe(parts);
  });

  it("is not adopted when the file says otherwise by now", async () => {
    const { world, path } = withFile();
    await world.worker({ dieAt: { failpoint: "part_acknowledged", nth: 1 }, slots: 1 }).work();
    world.disk.rewrite(path, 0, new Uint8Array([5, 5, 5]));
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(sent(world)).toBe(4);
  });
});

it("C7: a stream with nothing new to send asks S3 only when it is sealed, and once", async () => {
  const { world } = withFile();
  await world.worker({ dieAt: { failpoint: "settled", nth: 1 } }).work();
  const before = world.store.count("listParts");
  await runToEnd(world);
  expect(audit(world)).toEqual([]);
  // Before the seal, and for uploads that another owner may have left.
  expect(world.store.count("listParts") - before).toBeLessThanOrEqual(2);
});

it("a part that S3 lost goes again, the others stay", async () => {
  const { world, path } = withFile();
  await world.worker({ dieAt: { failpoint: "part_recorded", nth: 2 } }).work();
  const [record] = streams(world);
  if (!record) throw new Error("there is a stream");
  // The store forgets part 1: an upload with part 2 alone stands in its place.
  const [upload] = world.store.uploads();
  const { uploadId: other } = await world.store.createUpload(
    { bucket: BUCKET, key: "a.bin" },
    upload?.headers ?? never(),
  );
  world.store.overwritePart(other, 2, world.disk.bytes(path).slice(PART, 2 * PART));
  world.store.dropUpload(upload?.uploadId ?? "");
  const editor = new MemoryCheckpointStore(world.redis, "editor", "n");
  const [claim] = await editor.claim([record.id]);
  if (claim?.kind !== "claimed") throw new Error("claimed");
  await editor.write(claim.record, { from: ["processing"], patch: { s3_upload_id: other } });
  world.redis.lapse("editor");
  const before = sent(world);
  await runToEnd(world);
  expect(audit(world)).toEqual([]);
  expect(holdsFile(world, "a.bin", path)).toBe(true);
  expect(sent(world) - before).toBe(2);
});

describe("a founding record", () => {
  /** Parts of odd sizes, sent by an earlier phase; one of them is what `lost` names. */
  async function founding(world: World, path: string, lost?: number) {
    const bytes = world.disk.bytes(path);
    const cuts = [0, 6_000_000, 12_000_000];
    await world.worker({ dieAt: { failpoint: "upload_recorded", nth: 1 } }).work();
    const [record] = streams(world);
    const [upload] = world.store.uploads();
    if (!record || !upload) throw new Error("there is a stream with an upload");
    const parts: Part[] = [1, 2].map((n) => {
      const body = bytes.slice(cuts[n - 1], cuts[n]);
      world.store.overwritePart(upload.uploadId, n, n === lost ? body.slice(1) : body);
      return { PartNumber: n, ETag: md5Hex(body, quickDigests), Size: body.length, Offset: cuts[n - 1] ?? 0 };
    });
    const editor = new MemoryCheckpointStore(world.redis, "editor", "n");
    const [claim] = await editor.claim([record.id]);
    if (claim?.kind !== "claimed") throw new Error("claimed");
    const part_plan = formatPlan({ kind: "listed", count: 2, bytes: 12_000_000, partBytes: PART });
    await editor.write(claim.record, {
      from: ["processing"],
      parts,
      patch: { part_plan, next_part: 3, bytes_sent: 12_000_000 },
    });
    world.redis.lapse("editor");
  }

  it("keeps its parts as they are and goes on where they end", async () => {
    const { world, path } = withFile();
    world.disk.append(path, sampleBytes(PART, 2));
    await founding(world, path);
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(world.store.log.filter((entry) => entry.op === "uploadPart").map((entry) => entry.part)).toEqual([
      3,
    ]);
  });

  it("sends a part that S3 holds otherwise again as its record says, off the grid", async () => {
    const { world, path } = withFile();
    world.disk.append(path, sampleBytes(PART, 2));
    await founding(world, path, 1);
    await world.worker({ dieAt: { failpoint: "part_sending", nth: 1 } }).work();
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(world.store.log.filter((entry) => entry.op === "uploadPart").map((entry) => entry.part)).toEqual([
      1, 3,
    ]);
  });
});

describe("an upload that S3 does not know any more", () => {
  it("S28: while the file is there, all bytes go again by themselves", async () => {
    const { world, path } = withFile();
    await world.worker({ dieAt: { failpoint: "part_recorded", nth: 2 } }).work();
    for (const { uploadId } of world.store.uploads()) world.store.dropUpload(uploadId);
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(world.redis.log(streams(world)[0]?.id ?? "").join("\n")).toContain("no longer knows the upload");
  });

  it("S28: in the middle of a part is noticed there", async () => {
    const { world, path } = withFile();
    let dropped = false;
    await runToEnd(world, {
      onFailpoint: (name) => {
        if (name !== "part_sending" || dropped) return;
        dropped = true;
        for (const { uploadId } of world.store.uploads()) world.store.dropUpload(uploadId);
      },
    });
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
  });
});

it("a part's CRC32 in the checkpoint is that of the file", async () => {
  const { world, path } = withFile();
  await world.worker({ dieAt: { failpoint: "settled", nth: 1 } }).work();
  const part = world.redis.parts("stream0001").get(1);
  expect(part?.ChecksumCRC32).toBe(crc32ToBase64(quickDigests.crc32(world.disk.bytes(path).slice(0, PART))));
});

function never(): never {
  throw new Error("there is an upload");
}

it("P2: a part is not sent again because another file had the name while it was compared", async () => {
  const world = testWorld();
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(PART + 1_000, 1));
  await world.worker({ dieAt: { failpoint: "part_acknowledged", nth: 1 } }).work();
  let listed = 0;
  let sentFirst = 0;
  await runToEnd(world, {
    storeScript: ({ method, args }) => {
      if (method === "uploadPart" && args[1] === 1) sentFirst += 1;
      if (method === "listParts" && (listed += 1) === 1) {
        world.disk.rename(path, world.path("b.bin"));
        world.disk.append(path, sampleBytes(PART + 2_000, 2));
      }
      return undefined;
    },
  });
  expect(listed).toBeGreaterThan(0);
  expect(sentFirst).toBe(0);
  await runToEnd(world);
  expect(audit(world)).toEqual([]);
  expect(holdsFile(world, "a.bin", world.path("b.bin"))).toBe(true);
});
