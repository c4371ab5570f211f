import { expect, it } from "vitest";
import { nextPartBytes } from "./next-part.ts";
import { MIB } from "./part-plan.ts";

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
  expect(nextPartBytes(plan, nextPart)).toBe(bytes);
});
