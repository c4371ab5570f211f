import { expect, it } from "vitest";
import { LiveRates } from "./live-rates.ts";

const row = (size: number, sent: number) =>
  ({ id: "s1", kind: "processing", file_size: size, bytes_sent: sent }) as const;

it("knows no rate at the first look", () => {
  const rates = new LiveRates();
  rates.see([row(100, 0)], 0);
  expect(rates.of(row(100, 0))).toEqual({ written: undefined, sent: undefined, etaMs: undefined });
});

it("takes rates from the last seconds, and the end from what waits", () => {
  const rates = new LiveRates();
  rates.see([row(0, 0)], 0);
  for (let second = 1; second <= 60; second += 1) {
    const sent = second <= 30 ? 0 : (second - 30) * 100;
    rates.see([row(second * 200, sent)], second * 1_000);
  }
  // 12,000 bytes written, 3,000 of them sent.
  expect(rates.of(row(12_000, 3_000))).toEqual({ written: 200, sent: 100, etaMs: 90_000 });
});

it("promises no end where nothing goes up, nor where nothing waits", () => {
  const rates = new LiveRates();
  rates.see([row(100, 100)], 0);
  rates.see([row(200, 100)], 5_000);
  expect(rates.of(row(200, 100))).toEqual({ written: 20, sent: 0, etaMs: undefined });
  rates.see([row(200, 200)], 10_000);
  expect(rates.of(row(200, 200))).toMatchObject({ sent: 10, etaMs: undefined });
});

it("forgets streams that are at work no longer", () => {
  const rates = new LiveRates();
  rates.see([row(0, 0)], 0);
  rates.see([], 1_000);
  rates.see([row(100, 0)], 2_000);
  expect(rates.of(row(100, 0)).written).toBeUndefined();
});
