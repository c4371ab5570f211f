import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvariantError } from "../assert.ts";
import { MAX_PARTS } from "./values.ts";
import {
  choosePlan,
  extendedPlan,
  formatPlan,
  GIB,
  MAX_PART_BYTES,
  MIB,
  MIN_PART_BYTES,
  parsePlan,
  partBytes,
  partOffset,
  planCapacity,
  type PartPlan,
  bytesToFullPart,
} from "./part-plan.ts";

const size = fc.integer({ min: MIN_PART_BYTES, max: MAX_PART_BYTES });
const copied: fc.Arbitrary<Extract<PartPlan, { kind: "copied" }>> = fc
  .record({
    kind: fc.constant("copied" as const),
    count: fc.integer({ min: 1, max: MAX_PARTS - 1 }),
    copiedBytes: size,
    rest: fc.constantFrom("stepped" as const, "uniform" as const),
    partBytes: size,
  })
  .map((plan) => (plan.rest === "uniform" ? { ...plan, copiedBytes: plan.partBytes } : plan));
const grid: fc.Arbitrary<PartPlan> = fc.oneof(
  copied,
  size.map((bytes): PartPlan => ({ kind: "stepped", partBytes: bytes })),
  size.map((bytes): PartPlan => ({ kind: "uniform", partBytes: bytes })),
);
const listed: fc.Arbitrary<PartPlan> = fc.record({
  kind: fc.constant("listed" as const),
  count: fc.integer({ min: 0, max: MAX_PARTS }),
  bytes: fc.integer({ min: 0, max: 2 ** 45 }),
  partBytes: size,
});
const number = fc.integer({ min: 1, max: MAX_PARTS });

describe("the part grid", () => {
  it("S4: part n + 1 begins where part n ends, for every plan and number", () => {
    fc.assert(
      fc.property(grid, fc.integer({ min: 1, max: MAX_PARTS - 1 }), (plan, n) => {
        expect(partOffset(plan, n + 1)).toBe(partOffset(plan, n) + partBytes(plan, n));
      }),
    );
  });

  it("S4: offsets grow with the number, so that no byte has two parts", () => {
    fc.assert(
      fc.property(grid, number, number, (plan, a, b) => {
        expect(Math.sign(partOffset(plan, a) - partOffset(plan, b))).toBe(Math.sign(a - b));
      }),
    );
  });

  it("S1: every part has a size that S3 takes, at an offset that is exact", () => {
    fc.assert(
      fc.property(grid, number, (plan, n) => {
        expect(partBytes(plan, n)).toBeGreaterThanOrEqual(MIN_PART_BYTES);
        expect(partBytes(plan, n)).toBeLessThanOrEqual(MAX_PART_BYTES);
        expect(Number.isSafeInteger(partOffset(plan, n))).toBe(true);
      }),
    );
  });

  it("begins at byte 0 and grows in the steps that are documented", () => {
    const plan: PartPlan = { kind: "stepped", partBytes: 8 * MIB };
    expect(partOffset(plan, 1)).toBe(0);
    expect(partOffset({ ...plan, kind: "uniform" }, 1)).toBe(0);
    const sizes = [1, 1_000, 1_001, 2_000, 2_001, 4_000, 4_001, 10_000].map((n) => partBytes(plan, n) / MIB);
    expect(sizes).toEqual([8, 8, 32, 32, 128, 128, 768, 768]);
  });

  it("S4: holds 4.67 TiB at 8 MiB", () => {
    const tib = planCapacity({ kind: "stepped", partBytes: 8 * MIB }) / (1024 * GIB);
    expect(Math.floor(tib * 100) / 100).toBe(4.67);
  });

  it("S2: refuses numbers S3 does not have", () => {
    const plan: PartPlan = { kind: "uniform", partBytes: 8 * MIB };
    for (const n of [0, -1, MAX_PARTS + 1]) expect(() => partBytes(plan, n)).toThrow(InvariantError);
  });

  it("holds less where the store takes fewer parts", () => {
    const plan: PartPlan = { kind: "stepped", partBytes: 8 * MIB };
    expect(planCapacity(plan, 1_000)).toBe(1_000 * 8 * MIB);
    expect(planCapacity(plan, 20_000)).toBe(planCapacity(plan));
  });
});

describe("a listed plan", () => {
  const plan: PartPlan = { kind: "listed", count: 3, bytes: 17 * MIB, partBytes: 8 * MIB };

  it("goes on where the parts that lie there end, on the stepped grid", () => {
    expect(partOffset(plan, 4)).toBe(17 * MIB);
    expect(partOffset(plan, 5)).toBe(25 * MIB);
    expect(partOffset({ ...plan, count: 1_000, bytes: 0 }, 1_002)).toBe(32 * MIB);
  });

  it("says nothing of the listed parts themselves", () => {
    expect(() => partOffset(plan, 3)).toThrow(InvariantError);
    expect(() => partBytes(plan, 1)).toThrow(InvariantError);
    expect(() => partBytes(plan, 3)).toThrow(InvariantError);
  });

  it("holds what lies there when no number is left", () => {
    expect(planCapacity({ ...plan, count: MAX_PARTS })).toBe(17 * MIB);
    expect(planCapacity({ ...plan, count: 5 }, 5)).toBe(17 * MIB);
  });
});

describe("a plan's text", () => {
  it("comes back as the plan", () => {
    fc.assert(
      fc.property(fc.oneof(grid, listed), (plan) => {
        expect(parsePlan(formatPlan(plan))).toEqual(plan);
      }),
    );
  });

  it("may list all the parts there can be", () => {
    expect(parsePlan("listed:10000:9+stepped:8388608")).toMatchObject({ count: MAX_PARTS, bytes: 9 });
  });

  it.each([
    "",
    "stepped",
    "stepped:",
    "stepped:1048576",
    "uniform:99999999999999",
    "cubic:8388608",
    "listed:3:100+uniform:8388608",
    "listed:10001:100+stepped:8388608",
    "listed:3:99999999999999999999+stepped:8388608",
    " stepped:8388608",
    "stepped:8388608x",
  ])("R12: is refused when it is %j", (text) => {
    expect(parsePlan(text)).toBeUndefined();
  });
});

describe("the plan a stream begins with", () => {
  const choice = {
    kind: "uniform",
    partBytes: 8 * MIB,
    expectedMaxBytes: 100 * GIB,
    maxParts: 10_000,
  } as const;

  it("is stepped from the configured size", () => {
    expect(choosePlan({ ...choice, kind: "stepped" })).toEqual({ kind: "stepped", partBytes: 8 * MIB });
  });

  it("S2: is uniform in whole MiB, large enough for the file that is expected", () => {
    expect(choosePlan(choice)).toEqual({ kind: "uniform", partBytes: 11 * MIB });
    expect(choosePlan({ ...choice, maxParts: 1_000 })).toEqual({ kind: "uniform", partBytes: 103 * MIB });
  });

  it("never leaves what S3 takes, however large the file", () => {
    const sizes = fc.integer({ min: 1, max: 2 ** 47 });
    fc.assert(
      fc.property(sizes, (expectedMaxBytes) => {
        const plan = choosePlan({ ...choice, expectedMaxBytes });
        expect(plan.partBytes).toBeGreaterThanOrEqual(8 * MIB);
        expect(plan.partBytes).toBeLessThanOrEqual(MAX_PART_BYTES);
        expect(planCapacity(plan) >= expectedMaxBytes || plan.partBytes === MAX_PART_BYTES).toBe(true);
      }),
    );
  });
});

it.each([
  ["the grid's first size", "stepped:8388608", undefined, 8 * MIB],
  ["the step its number is in", "stepped:8388608", 1_001, 32 * MIB],
  ["the last number's", "stepped:8388608", 10_000, 768 * MIB],
  [
    "behind a founding record's parts, the step of the first own part",
    "listed:1000:9+stepped:8388608",
    1,
    32 * MIB,
  ],
  [
    "behind a founding record's parts, the step of a later one",
    "listed:1:9+stepped:8388608",
    2_001,
    128 * MIB,
  ],
  ["any byte where no number is left", "stepped:8388608", 10_001, 1],
  ["any byte where a founding record has used all numbers", "listed:10000:9+stepped:8388608", 1, 1],
  ["any byte under a number that cannot be", "stepped:8388608", 0, 1],
  ["any byte without a plan", undefined, 1, 1],
  ["any byte under a plan that cannot be read", "cubic:1", 1, 1],
])("the next part is made by %s", (_case, plan, nextPart, bytes) => {
  expect(bytesToFullPart(plan, nextPart)).toBe(bytes);
});

it.each([
  ["as much as its tail in S3 lacks", "stepped:8388608", 3, 8 * MIB + 5, 8 * MIB - 5],
  ["the whole of it, where its last part in S3 is full", "stepped:8388608", 3, 16 * MIB, 8 * MIB],
  ["what the last number's tail lacks", "uniform:8388608", 10_001, 10_000 * 8 * MIB - 7, 7],
  ["a whole part behind a founding record's", "listed:2:9+stepped:8388608", 3, 9, 8 * MIB],
])("a full part is made by %s", (_case, plan, nextPart, bytesSent, bytes) => {
  expect(bytesToFullPart(plan, nextPart, bytesSent)).toBe(bytes);
});

describe("a plan that extends an earlier object", () => {
  const base = fc.record({
    kind: fc.constantFrom("stepped" as const, "uniform" as const),
    partBytes: size,
  });
  const objectBytes = fc.oneof(
    fc.integer({ min: 0, max: 64 * MIB }),
    fc.integer({ min: 0, max: 6 * 1024 * GIB }),
  );
  const maxParts = fc.constantFrom(MAX_PARTS, 1_000);

  it("P13: takes over all but fewer bytes than it has parts, in parts that S3 copies", () => {
    fc.assert(
      fc.property(base, objectBytes, maxParts, (from, bytes, most) => {
        const plan = extendedPlan(from, bytes, most);
        if (plan === undefined) return;
        expect(parsePlan(formatPlan(plan))).toEqual(plan);
        expect(plan.copiedBytes).toBeGreaterThanOrEqual(MIN_PART_BYTES);
        expect(plan.copiedBytes).toBeLessThanOrEqual(MAX_PART_BYTES);
        const left = bytes - plan.count * plan.copiedBytes;
        expect(left).toBeGreaterThanOrEqual(0);
        expect(left).toBeLessThan(from.kind === "uniform" ? from.partBytes : plan.count);
        expect(plan.count).toBeLessThan(most);
      }),
    );
  });

  it("P13: sends for a changed byte no more than a part of the size that is sent, or the thousandth of the object", () => {
    fc.assert(
      fc.property(base, objectBytes, (from, bytes) => {
        const plan = extendedPlan(from, bytes, MAX_PARTS);
        const most = Math.max(from.partBytes, 2 * MIN_PART_BYTES, Math.ceil(bytes / 1_000));
        expect(plan?.copiedBytes ?? 0).toBeLessThanOrEqual(most);
      }),
    );
  });

  it("S4: holds what the plan without copies holds, less one of its first parts at most", () => {
    fc.assert(
      fc.property(
        size,
        fc.integer({ min: MIN_PART_BYTES + 1, max: 1024 * GIB }),
        maxParts,
        (bytes, object, most) => {
          const from = { kind: "stepped" as const, partBytes: bytes };
          const plan = extendedPlan(from, object, most);
          const before = planCapacity(from, most);
          const after = plan === undefined || object > before ? before : planCapacity(plan, most);
          expect(after).toBeGreaterThan(before - bytes);
        },
      ),
    );
  });

  it.each([
    // objectBytes, part size, plan
    [0, 8 * MIB, undefined],
    [MIN_PART_BYTES, MIN_PART_BYTES, undefined],
    [MIN_PART_BYTES + 1, 8 * MIB, `copied:${MIN_PART_BYTES + 1}x1+stepped:${8 * MIB}`],
    [9 * MIB, 8 * MIB, `copied:${9 * MIB}x1+stepped:${8 * MIB}`],
    [24 * MIB, 8 * MIB, `copied:${8 * MIB}x3+stepped:${8 * MIB}`],
    [24 * MIB + 65_536, 8 * MIB, `copied:${6 * MIB + 16_384}x4+stepped:${8 * MIB}`],
    [2 * GIB, 8 * MIB, `copied:${8 * MIB}x256+stepped:${8 * MIB}`],
    [100 * GIB, 8 * MIB, `copied:107374182x1000+stepped:${8 * MIB}`],
  ])("of %i bytes with parts of %i is %s", (bytes, partSize, text) => {
    const plan = extendedPlan({ kind: "stepped", partBytes: partSize }, bytes, MAX_PARTS);
    expect(plan && formatPlan(plan)).toBe(text);
  });

  it("S4: where the store wants equal parts, copies parts of that size and sends the rest", () => {
    const uniform = { kind: "uniform" as const, partBytes: 8 * MIB };
    expect(extendedPlan(uniform, 20 * MIB, MAX_PARTS)).toEqual({
      kind: "copied",
      count: 2,
      copiedBytes: 8 * MIB,
      rest: "uniform",
      partBytes: 8 * MIB,
    });
    expect(extendedPlan(uniform, 7 * MIB, MAX_PARTS)).toBeUndefined();
  });

  it.each([
    "copied:5242879x1+stepped:8388608",
    "copied:8388608x0+stepped:8388608",
    "copied:8388608x10000+stepped:8388608",
    "copied:8388608x2+uniform:9388608",
    "copied:8388608+stepped:8388608",
    "copied:8388608x2",
  ])("%s is no plan", (text) => {
    expect(parsePlan(text)).toBeUndefined();
  });
});
