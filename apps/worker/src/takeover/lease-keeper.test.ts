import { LIMITS } from "@sluice/core";
import { expect, it } from "vitest";
import { leaseIsFresh } from "./lease-keeper.ts";

const { leaseSelfFenceMs: fence, leaseTtlMs: ttl } = LIMITS;

it.each([
  ["just renewed", 0, 0, true],
  ["shortly before the limit", fence - 1, fence - 1, true],
  ["not renewed for too long", fence, fence, false],
  ["the machine was suspended: the monotonic clock stood still", 200, ttl + 1, false],
  ["the wall clock was set forward: asked again after the next renewal", 200, 3_600_000, false],
  ["the wall clock was set back", 200, -3_600_000, true],
  ["the wall clock was set back while the lease ran out", ttl, -3_600_000, false],
  ["never renewed", Infinity, Infinity, false],
])("D7k: whether a lease is fresh: %s", (_case, monotonicMs, wallMs, fresh) => {
  expect(leaseIsFresh({ monotonicMs, wallMs })).toBe(fresh);
});
