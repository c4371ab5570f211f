import { expect, it } from "vitest";
import { InvariantError } from "../assert.ts";
import { MAX_PARTS, partNumber, streamId } from "./values.ts";

it("S2: part numbers are 1 to 10,000", () => {
  expect([partNumber(1), partNumber(MAX_PARTS)]).toEqual([1, 10_000]);
  for (const n of [0, -1, 1.5, 10_001, Number.NaN]) expect(() => partNumber(n)).toThrow(InvariantError);
  expect(() => partNumber(0)).toThrow("part number 0 is within 1..10000");
});

it("an id is opaque, but not empty", () => {
  expect(streamId("legacy-7")).toBe("legacy-7");
  expect(() => streamId("")).toThrow(InvariantError);
});
