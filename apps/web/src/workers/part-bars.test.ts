import { expect, it } from "vitest";
import { barsOf } from "./part-bars.ts";

const buckets = [
  { le: 0.1, parts: 0 },
  { le: 0.5, parts: 2 },
  { le: 2.5, parts: 0 },
  { le: 60, parts: 8 },
  { le: 300, parts: 0 },
  { le: null, parts: 0 },
];

it("shows the buckets from the first to the last that has a part, each with its share of the longest", () => {
  expect(barsOf({ buckets })).toEqual({
    total: 10,
    bars: [
      { label: "100 ms – 500 ms", parts: 2, share: 0.25 },
      { label: "500 ms – 2.5 s", parts: 0, share: 0 },
      { label: "2.5 s – 1 min", parts: 8, share: 1 },
    ],
  });
});

it("names the open ends, and has no bar without a part", () => {
  const ends = barsOf({
    buckets: [
      { le: 0.1, parts: 1 },
      { le: null, parts: 1 },
    ],
  });
  expect(ends.bars.map(({ label }) => label)).toEqual(["up to 100 ms", "over 100 ms"]);
  expect(barsOf({ buckets: [{ le: 1, parts: 0 }] })).toEqual({ bars: [], total: 0 });
});
