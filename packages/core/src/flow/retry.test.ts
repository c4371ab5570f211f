import fc from "fast-check";
import { expect, it } from "vitest";
import { StoreError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { backoffMs } from "./retry.ts";

const attempt = fc.integer({ min: 1, max: 10_000 });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

it("the wait is never past its most, however often it was tried", () => {
  fc.assert(
    fc.property(attempt, random, (n, r) => {
      expect(backoffMs(n, r)).toBeGreaterThanOrEqual(0);
      expect(backoffMs(n, r)).toBeLessThanOrEqual(LIMITS.retryMostMs);
    }),
  );
});

it("S30: the wait is never shorter than the store asked for", () => {
  fc.assert(
    fc.property(attempt, random, (n, r) => {
      expect(backoffMs(n, r, 45_000)).toBe(45_000);
    }),
  );
});

it("the ceiling doubles from the first wait to the most", () => {
  const ceilings = [1, 2, 3, 4, 20].map((n) => backoffMs(n, 0.999_999_9));
  expect(ceilings).toEqual([200, 400, 800, 1_600, 30_000]);
});

it("a store that asks for years is believed for some minutes", () => {
  const asked = { trouble: "throttled", code: "SlowDown", message: "wait" } as const;
  for (const ms of [LIMITS.storeWishMs + 1, 1e12, Number.POSITIVE_INFINITY])
    expect(new StoreError({ ...asked, retryAfterMs: ms }).retryAfterMs).toBe(LIMITS.storeWishMs);
  expect(new StoreError({ ...asked, retryAfterMs: 77_000 }).retryAfterMs).toBe(77_000);
  expect(new StoreError(asked).retryAfterMs).toBeUndefined();
});
