import { expect, it } from "vitest";
import { rowsIn } from "./window-rows.ts";

const heights = [10, 20, 30, 40, 50];
const indexes = (from: number, to: number, overscan = 0) =>
  rowsIn(heights, { from, to }, overscan).items.map(({ index }) => index);

it("shows the rows that overlap the window, each where the rows before it end", () => {
  expect(rowsIn(heights, { from: 15, to: 65 }, 0)).toEqual({
    items: [
      { index: 1, start: 10 },
      { index: 2, start: 30 },
      { index: 3, start: 60 },
    ],
    total: 150,
  });
  expect(indexes(0, 10)).toEqual([0]);
  expect(indexes(10, 30)).toEqual([1]);
});

it("shows some more on each side, never past the ends", () => {
  expect(indexes(35, 36, 1)).toEqual([1, 2, 3]);
  expect(indexes(0, 5, 2)).toEqual([0, 1, 2]);
  expect(indexes(140, 200, 9)).toEqual([0, 1, 2, 3, 4]);
});

it("keeps the closest row while the list is out of the window, and shows nothing of an empty one", () => {
  expect(indexes(-500, -100)).toEqual([0]);
  expect(indexes(500, 900)).toEqual([4]);
  expect(rowsIn([], { from: 0, to: 100 }, 3)).toEqual({ items: [], total: 0 });
});
