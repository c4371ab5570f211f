import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { partBytes, partOffset, type PartPlan } from "./part-plan.ts";
import type { Part } from "./record.ts";
import { PART } from "../testing/test-values.ts";
import { finishedPrefix, isTail } from "./finished-prefix.ts";

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
