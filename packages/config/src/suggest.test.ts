import { describe, expect, it } from "vitest";
import { editDistance, nearest } from "./suggest.ts";

describe("did you mean", () => {
  it.each([
    ["", "abc", 3],
    ["abc", "abc", 0],
    ["abc", "acb", 1],
    ["bucket", "buket", 1],
    ["kitten", "sitting", 3],
  ])("%j and %j are %i edits apart", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  it("names the nearest name, and none when all are far", () => {
    const known = ["part_size", "part_plan", "s3_bucket"];
    expect(nearest("part_sise", known)).toBe("part_size");
    expect(nearest("colour", known)).toBeUndefined();
  });
});
