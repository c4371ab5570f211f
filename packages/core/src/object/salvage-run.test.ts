import { expect, test } from "vitest";
import type { ListedPart } from "../ports/object-store.ts";
import { parsePlan, type PartPlan } from "../stream/part-plan.ts";
import type { Part } from "../stream/record.ts";
import { salvageRun } from "./salvage-run.ts";

const MIB = 1024 * 1024;
const P = 8 * MIB;
const plan = parsePlan(`stepped:${P}`) as PartPlan;
const listed = (n: number, Size = P, ETag = `e${n}`): ListedPart => ({ PartNumber: n, Size, ETag });
const kept = (n: number, Size = P, ETag = `e${n}`): Part => ({
  PartNumber: n,
  Size,
  ETag,
  Offset: (n - 1) * P,
});
const checkpoint = (...parts: Part[]) => ({
  plan,
  parts: new Map(parts.map((part) => [part.PartNumber, part])),
});
const numbers = (run: ReturnType<typeof salvageRun>) => run.parts.map((part) => part.PartNumber);

test.each<[string, ListedPart[], Part[], number[]]>([
  ["every part, as the checkpoint has it", [listed(1), listed(2)], [kept(1), kept(2)], [1, 2]],
  ["nothing", [], [], []],
  ["nothing where the first part is missing", [listed(2)], [kept(2)], []],
  ["what stands before a gap", [listed(1), listed(3)], [kept(1), kept(3)], [1]],
  [
    "what stands before a part that the checkpoint knows under another ETag",
    [listed(1), listed(2, P, "x")],
    [kept(1), kept(2)],
    [1],
  ],
  ["what stands before a part of another size", [listed(1), listed(2, P - 1)], [kept(1), kept(2)], [1]],
  [
    "the tail, and nothing after it",
    [listed(1), listed(2, 100), listed(3)],
    [kept(1), kept(2, 100), kept(3)],
    [1, 2],
  ],
  ["a part whose record was lost, where it fits the grid", [listed(1), listed(2)], [kept(1)], [1, 2]],
  ["no part that is larger than its place on the grid", [listed(1), listed(2, P + 1)], [kept(1)], [1]],
  [
    "a part below S3's minimum as the last one only",
    [listed(1, 3 * MIB), listed(2)],
    [kept(1, 3 * MIB)],
    [1],
  ],
])("with the checkpoint the run holds %s", (_name, there, known, run) => {
  expect(numbers(salvageRun(there, checkpoint(...known)))).toEqual(run);
});

test.each<[string, ListedPart[], number[]]>([
  ["equal parts and the tail", [listed(1), listed(2), listed(3, 5)], [1, 2, 3]],
  ["parts that grow", [listed(1), listed(2, 4 * P), listed(3, 4 * P)], [1, 2, 3]],
  [
    "nothing after the first part that is smaller than the one before it",
    [listed(1), listed(2, P - 1), listed(3)],
    [1, 2],
  ],
  ["nothing past a gap", [listed(1), listed(3)], [1]],
])("without Redis the run holds %s", (_name, there, run) => {
  expect(numbers(salvageRun(there))).toEqual(run);
});

test("bytes, offsets and what is left out are those of the run", () => {
  const run = salvageRun([listed(1), listed(2, 7), listed(3)], checkpoint(kept(1)));
  expect(run).toMatchObject({ bytes: P + 7, leftOut: 1 });
  expect(run.parts[1]).toMatchObject({ Offset: P, Size: 7 });
});
