import { expect, it } from "vitest";
import { pastTime } from "./options.ts";

it("a time is a duration ago, or a date: local, unless it names its zone", () => {
  const now = Date.now();
  expect(pastTime("2h")).toBeGreaterThanOrEqual(now - 7_200_000);
  expect(pastTime("2h")).toBeLessThan(now - 7_199_000 + 60_000);
  expect(pastTime("2026-11-29")).toBe(new Date(2026, 10, 29).getTime());
  expect(pastTime("2026-11-29 18:30")).toBe(new Date(2026, 10, 29, 18, 30).getTime());
  expect(pastTime("2026-11-29T18:30Z")).toBe(Date.UTC(2026, 10, 29, 18, 30));
  for (const bad of ["yesterday", "2026-13-41", "29.11.2026", ""])
    expect(() => pastTime(bad)).toThrow(/Expected a time/);
});
