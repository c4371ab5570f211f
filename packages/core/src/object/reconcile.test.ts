import { describe, expect, it } from "vitest";
import { partOffset, type PartPlan } from "../stream/part-plan.ts";
import type { ListedPart } from "../ports/object-store.ts";
import type { Part } from "../stream/record.ts";
import { PART } from "../testing/test-values.ts";
import { reconcile } from "./reconcile.ts";

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
