import { expect, it } from "vitest";
import { feedLagMs, healthOf } from "./system.ts";

it("the feed's lag is the time between the newest event and the one that was applied last", () => {
  expect(feedLagMs("1700000000500-0", "1700000000500-0")).toBe(0);
  expect(feedLagMs("1700000000500-3", "1700000000100-1")).toBe(400);
  expect(feedLagMs("0-0", "1700000000100-1")).toBe(0);
  expect(feedLagMs("nonsense", "1700000000100-1")).toBeUndefined();
});

it("the dashboard is degraded while Redis is away, while it still reads the streams, and at its end", () => {
  const drain = new AbortController();
  const of = (model: { away: boolean; filled: boolean }) =>
    healthOf({ model, drain } as Parameters<typeof healthOf>[0]);
  expect(of({ away: false, filled: true })).toEqual({ status: "ok", redis: "ok" });
  expect(of({ away: true, filled: true })).toEqual({ status: "degraded", redis: "away" });
  expect(of({ away: false, filled: false })).toEqual({ status: "degraded", redis: "ok" });
  drain.abort();
  expect(of({ away: false, filled: true })).toEqual({ status: "degraded", redis: "ok" });
});
