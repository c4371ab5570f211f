import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { partBytes, partOffset, type PartPlan } from "./part-plan.ts";
import type { Part } from "./record.ts";
import { PART } from "../testing/test-values.ts";
import { pendingRanges, finishedPrefix, isTail } from "./checkpoint.ts";

const plan: PartPlan = { kind: "stepped", partBytes: PART };
const full = (n: number): Part => ({
  PartNumber: n,
  ETag: "e",
  Offset: partOffset(plan, n),
  Size: partBytes(plan, n),
});
const map = (...parts: Part[]): Map<number, Part> => new Map(parts.map((part) => [part.PartNumber, part]));

describe("the finished prefix", () => {
  it("of nothing is nothing", () => {
    expect(finishedPrefix(map(), plan)).toEqual({ nextPart: 1, bytes: 0 });
  });

  it("covers the unbroken run from part 1 and nothing past a gap, in whatever order parts came", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 12 })), (numbers) => {
        let run = 0;
        while (numbers.includes(run + 1)) run += 1;
        expect(finishedPrefix(map(...numbers.map(full)), plan)).toEqual({
          nextPart: run + 1,
          bytes: run * PART,
        });
      }),
    );
  });

  it("C12: ends with a tail, for it will be cut again", () => {
    const tail = { ...full(2), Size: 99 };
    expect(finishedPrefix(map(full(1), tail, full(3)), plan)).toEqual({ nextPart: 3, bytes: PART + 99 });
  });

  it("ends before a part that does not begin where the one before it ends", () => {
    expect(finishedPrefix(map(full(1), { ...full(2), Offset: 7 }), plan).nextPart).toBe(2);
  });

  it("counts the parts of a founding record as they were sent", () => {
    const founding: PartPlan = { kind: "listed", count: 2, bytes: 11_000_000, partBytes: PART };
    const parts = map(
      { PartNumber: 1, ETag: "e", Offset: 0, Size: 5_500_000 },
      { PartNumber: 2, ETag: "e", Offset: 5_500_000, Size: 5_500_000 },
    );
    expect(finishedPrefix(parts, founding)).toEqual({ nextPart: 3, bytes: 11_000_000 });
    expect(isTail({ PartNumber: 2, Size: 1 }, founding)).toBe(false);
    expect(isTail({ PartNumber: 3, Size: 1 }, founding)).toBe(true);
  });
});

const part = (n: number, size = PART): Part => ({
  PartNumber: n,
  ETag: "e",
  Offset: partOffset(plan, n),
  Size: size,
});
const all = { tail: true, limit: Infinity };
const numbers = (ranges: { number: number }[]): number[] => ranges.map((range) => range.number);

describe("what is to be sent", () => {
  it("covers the file exactly once together with what was sent, whatever was", () => {
    const sent = fc.uniqueArray(fc.integer({ min: 1, max: 8 }));
    const size = fc.integer({ min: 0, max: 8 * PART });
    fc.assert(
      fc.property(sent, size, (done, bytes) => {
        const there = done.filter((n) => partOffset(plan, n) + PART <= bytes);
        const ranges = pendingRanges(map(...there.map((n) => part(n))), plan, bytes, all);
        const covered = ranges.reduce((sum, range) => sum + range.bytes, there.length * PART);
        expect(covered).toBe(bytes);
        expect(numbers(ranges).filter((n) => there.includes(n))).toEqual([]);
        for (const { number, offset } of ranges) expect(offset).toBe(partOffset(plan, number));
      }),
    );
  });

  it("leaves the tail on disk until the seal asks for it", () => {
    const size = 2 * PART + 5;
    expect(numbers(pendingRanges(map(), plan, size, { tail: false, limit: 9 }))).toEqual([1, 2]);
    expect(pendingRanges(map(), plan, size, all).at(-1)).toEqual({ number: 3, offset: 2 * PART, bytes: 5 });
  });

  it("is nothing for an empty file, and nothing once all is there", () => {
    expect(pendingRanges(map(), plan, 0, all)).toEqual([]);
    expect(pendingRanges(map(part(1), part(2, 7)), plan, PART + 7, all)).toEqual([]);
  });

  it("fills gaps first, within the limit, without what is on its way", () => {
    const options = { tail: false, limit: 2, skip: (n: number) => n === 4 };
    expect(numbers(pendingRanges(map(part(1), part(3)), plan, 9 * PART, options))).toEqual([2, 5]);
  });

  it("C12: cuts an outgrown tail again under its number", () => {
    const ranges = pendingRanges(map(part(1), part(2, 7)), plan, 2 * PART + 1, all);
    expect(ranges).toEqual([
      { number: 2, offset: PART, bytes: PART },
      { number: 3, offset: 2 * PART, bytes: 1 },
    ]);
  });

  it("C12: cuts a tail that grew a little only at the seal", () => {
    const parts = map(part(1), part(2, 7));
    expect(pendingRanges(parts, plan, PART + 8, { tail: false, limit: 9 })).toEqual([]);
    expect(pendingRanges(parts, plan, PART + 8, all)).toEqual([{ number: 2, offset: PART, bytes: 8 }]);
  });

  it("S2: never goes past the last number there is", () => {
    const last = 10_000;
    const parts = new Map<number, Part>();
    for (let n = 1; n < last; n += 1) parts.set(n, { ...part(n), Size: partBytes(plan, n) });
    const ranges = pendingRanges(parts, plan, Number.MAX_SAFE_INTEGER, all);
    expect(numbers(ranges)).toEqual([last]);
  });
});
