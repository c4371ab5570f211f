import { NO_COUNTS } from "@sluice/redis-schema/records/stats";
import { expect, it } from "vitest";
import { rateNow, RecentlyWritten } from "./rates.ts";

const MINUTE = 60_000;
const T0 = 1_000 * MINUTE;
const minute = (startsAt: number, bytes_in: number, bytes_sent = 0) => ({
  startsAt,
  all: { ...NO_COUNTS, bytes_in, bytes_sent },
  byWorker: {},
  byWatch: {},
});

it("the rates of now are those of the running minute and the one before", () => {
  const minutes = [minute(T0 - 2 * MINUTE, 9_999_999), minute(T0 - MINUTE, 600, 60), minute(T0, 300, 30)];
  expect(rateNow(minutes, T0 + 30_000)).toEqual({ rate_in: 10, rate_out: 1 });
});

it("a recorder that stops is seen to stop while its minute still counts, and across the turn of a minute", () => {
  const recent = new RecentlyWritten();
  const at = (second: number) => T0 + 50_000 + second * 1_000;
  const until = (bytes: number, next: number) => [minute(T0, bytes), minute(T0 + MINUTE, next)];
  expect(recent.rate(until(1_000, 0), at(0))).toBeUndefined();
  expect(recent.rate(until(1_500, 0), at(5))).toBeUndefined();
  expect(recent.rate(until(2_000, 0), at(10))).toBe(100);
  expect(recent.rate(until(2_000, 400), at(16))).toBeCloseTo(1_400 / 16);
  expect(recent.rate(until(2_000, 400), at(40))).toBeCloseTo(1_400 / 40);
  expect(recent.rate(until(2_000, 400), at(56))).toBe(0);
  expect(recent.rate(until(2_000, 400), at(200)), "nobody asked for long").toBeUndefined();
});
