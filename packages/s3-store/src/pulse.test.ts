import { expect, test } from "vitest";
import { StorePulse } from "./pulse.ts";

function scene() {
  const told: number[] = [];
  const here = { nowMs: 0, told };
  const pulse = new StorePulse({
    quietMs: 15_000,
    onQuiet: (quietMs) => void told.push(quietMs),
    nowMs: () => here.nowMs,
  });
  return { here, pulse };
}

test("S41: a store is quiet when everything under way is, which is told long before anything is given up", () => {
  const { here, pulse } = scene();
  const [one, two] = [pulse.begin(), pulse.begin()];
  here.nowMs = 15_001;
  expect(one.quiet()).toBe(15_000);
  expect(here.told, "the other may be moving").toEqual([]);
  here.nowMs = 15_010;
  two.quiet();
  expect(here.told).toEqual([15_000]);
  here.nowMs = 30_010;
  expect(one.quiet(), "silence adds up").toBe(30_009);
});

test("an exchange that is stuck beside others that are answered is its own affair", () => {
  const { here, pulse } = scene();
  const [stuck, other] = [pulse.begin(), pulse.begin()];
  here.nowMs = 14_000;
  other.heard();
  other[Symbol.dispose]();
  here.nowMs = 15_001;
  stuck.quiet();
  expect(here.told).toEqual([]);
  here.nowMs = 30_001;
  stuck.quiet();
  expect(here.told).toEqual([30_000]);
});

test("an exchange that moved in between was not quiet all the time", () => {
  const { here, pulse } = scene();
  const slow = pulse.begin();
  here.nowMs = 15_000;
  slow.quiet();
  here.nowMs = 40_000;
  expect(slow.quiet()).toBe(15_000);
});
