import fc from "fast-check";
import { expect, it } from "vitest";
import { LIMITS } from "../limits.ts";
import { firstFree } from "./first-free.ts";

it("D1a: finds the first free number past the taken ones, with two questions for each doubling", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 100_000 }), async (taken) => {
      let asked = 0;
      const free = await firstFree((number) => {
        asked += 1;
        return Promise.resolve(number > taken);
      });
      expect(free).toBe(taken + 1);
      expect(asked).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(taken + 1)) + 2);
    }),
  );
});

it("D1a: finds a free one where some in between were given up", async () => {
  const free = await firstFree((number) => Promise.resolve(number > 50 || (number > 10 && number < 20)));
  expect(free > 50 || (free > 10 && free < 20)).toBe(true);
});

it("ends where no number is free", async () => {
  expect(await firstFree(() => Promise.resolve(false))).toBe(LIMITS.keyNumber);
});
