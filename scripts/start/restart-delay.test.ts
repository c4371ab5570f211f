import { expect, it } from "vitest";
import { crashesInARow, RESTART, restartDelayMs } from "./restart-delay.ts";

it("the first crash is answered within half a second", () => {
  expect(restartDelayMs(crashesInARow(0, 100))).toBe(RESTART.firstDelayMs);
});

it("crash after crash doubles the wait up to its limit", () => {
  const delays = Array.from({ length: 10 }, (_, index) => restartDelayMs(index + 1));
  expect(delays.slice(0, 4)).toEqual([500, 1000, 2000, 4000]);
  expect(Math.max(...delays)).toBe(RESTART.longestDelayMs);
});

it("a run that was long enough makes the next crash the first again", () => {
  expect(crashesInARow(6, RESTART.goodRunMs)).toBe(1);
  expect(crashesInARow(6, RESTART.goodRunMs - 1)).toBe(7);
});
