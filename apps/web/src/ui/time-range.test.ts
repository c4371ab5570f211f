import { describe, expect, test } from "vitest";
import { timesOf, timesOfDays } from "./time-range.ts";

const now = Date.parse("2026-11-24T12:34:56Z");
const at = (text: string): number => Date.parse(text);

describe("a range of time", () => {
  test("ends before it begins again: yesterday is not today", () => {
    expect(timesOf("yesterday", now, true)).toEqual({
      from: at("2026-11-23T00:00:00Z"),
      until: at("2026-11-24T00:00:00Z"),
    });
    expect(timesOf("today", now, true)).toEqual({ from: at("2026-11-24T00:00:00Z") });
  });

  test("is the same question for a whole minute, so that a page does not ask again and again", () => {
    expect(timesOf("hour", now, true)).toEqual({ from: at("2026-11-24T11:34:00Z") });
    expect(timesOf("hour", now + 3_000, true)).toEqual(timesOf("hour", now, true));
  });

  test("of days has the first and the last in it, and what is no day does not limit it", () => {
    expect(timesOfDays("2026-11-23", "2026-11-24", true)).toEqual({
      from: at("2026-11-23T00:00:00Z"),
      until: at("2026-11-25T00:00:00Z"),
    });
    expect(timesOfDays("2026-12-31", "2026-12-31", true)).toEqual({
      from: at("2026-12-31T00:00:00Z"),
      until: at("2027-01-01T00:00:00Z"),
    });
    expect(timesOfDays("yesterday", "", true)).toEqual({});
    const local = timesOfDays("2026-11-23", "", false).from ?? 0;
    expect(new Date(local).getHours()).toBe(0);
  });

  test("of seven days has today in it; of none, everything", () => {
    expect(timesOf("week", now, true)).toEqual({ from: at("2026-11-18T00:00:00Z") });
    expect(timesOf(null, now, true)).toEqual({});
  });
});
