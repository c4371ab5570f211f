import { describe, expect, it } from "vitest";
import { formatBytes, formatDuration, formatRelative, plural, formatClock } from "./units.ts";

describe("sizes and times", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [512 * 1024, "512 KiB"],
    [1024 ** 2 - 1, "1.0 MiB"],
    [5.25 * 1024 ** 3, "5.3 GiB"],
    [48.8 * 1024 ** 4, "48.8 TiB"],
    [-1, "–"],
  ])("%d bytes are %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it("are in at most two units, rounded down", () => {
    expect([0, 999, 1_000, 59_999, 60_000, 7_199_999, 86_400_000].map(formatDuration)).toEqual([
      "0 ms",
      "999 ms",
      "1 s",
      "59 s",
      "1 min",
      "1 h 59 min",
      "1 d",
    ]);
  });

  it("are relative to now in one unit", () => {
    const now = Date.parse("2026-11-24T12:00:00Z");
    expect([-120_000, 3_000, -400].map((off) => formatRelative(now + off, now))).toEqual([
      "2 min ago",
      "in 3 s",
      "now",
    ]);
  });

  it("have a date only if it is not today", () => {
    const now = Date.parse("2026-11-24T12:00:00Z");
    const at = (text: string) => formatClock(Date.parse(text), now, true);
    expect([at("2026-11-24T00:00:00Z"), at("2026-11-23T23:59:59Z"), at("2026-11-25T00:00:01Z")]).toEqual([
      "00:00:00 UTC",
      "2026-11-23 23:59:59 UTC",
      "2026-11-25 00:00:01 UTC",
    ]);
  });

  it("count what there is in words", () => {
    expect([plural(1, "stream"), plural(0, "stream"), plural(12_345, "entry", "entries")]).toEqual([
      "1 stream",
      "0 streams",
      "12,345 entries",
    ]);
  });
});
