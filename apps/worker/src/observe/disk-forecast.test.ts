import { describe, expect, it } from "vitest";
import { fullInMs, isFilling, RATE_WINDOW_MS, type SpaceSample } from "./disk-forecast.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const EVERY_MS = 5_000;

/** Samples of so long, as a worker takes them: what is free at a minute. */
function samples(minutes: number, freeAt: (minute: number) => number): SpaceSample[] {
  const times = Array.from({ length: (minutes * MINUTE) / EVERY_MS + 1 }, (_, at) => at * EVERY_MS);
  return times.map((atMs) => ({ atMs, freeBytes: Math.max(0, Math.round(freeAt(atMs / MINUTE))) }));
}

/** The same noise in each run: other programs that write and delete. */
const noise = (minute: number): number => Math.sin(minute * 97) * 40 * MIB;

describe("a disk", () => {
  it.each<[string, SpaceSample[], { fromMs: number; toMs: number } | undefined]>([
    ["that was never looked at", [], undefined],
    ["that was looked at once", samples(0, () => GIB), undefined],
    ["whose rate is not known yet", samples(1, (minute) => 10 * GIB - minute * GIB), undefined],
    [
      "that a recording fills evenly",
      samples(30, (minute) => 130 * GIB - minute * GIB),
      { fromMs: 100 * MINUTE, toMs: 100 * MINUTE },
    ],
    [
      "that fills fast, soon after the start",
      samples(2, (minute) => 20 * GIB - minute * GIB),
      { fromMs: 18 * MINUTE, toMs: 18 * MINUTE },
    ],
    [
      "that fills while others write and delete",
      samples(30, (minute) => 130 * GIB - minute * GIB + noise(minute)),
      { fromMs: 99 * MINUTE, toMs: 101 * MINUTE },
    ],
    [
      "from which files are deleted after their upload, slower than it fills",
      samples(30, (minute) => 130 * GIB - minute * GIB + Math.floor(minute / 5) * 2 * GIB),
      { fromMs: 110 * MINUTE, toMs: 250 * MINUTE },
    ],
    [
      "from which as much is deleted as is written",
      samples(30, (minute) => 100 * GIB - (minute % 5) * GIB),
      undefined,
    ],
    [
      "from which as much is deleted as is written, in long rounds",
      samples(30, (minute) => 100 * GIB - (minute % 13) * GIB),
      undefined,
    ],
    ["that gets emptier", samples(30, (minute) => 10 * GIB + minute * GIB), undefined],
    ["on which nothing changes", samples(30, () => 10 * GIB), undefined],
    ["that is full and stays so", samples(30, () => 0), undefined],
    [
      "on which one file was deleted a moment ago",
      samples(30, (minute) => 100 * GIB - minute * GIB + (minute > 28 ? 60 * GIB : 0)),
      undefined,
    ],
    [
      "onto which one large file was copied a while ago",
      samples(30, (minute) => 500 * GIB - Math.min(minute, 2) * 20 * GIB),
      undefined,
    ],
    ["with some lines of a log", samples(30, (minute) => 10 * GIB - minute * 1_000), undefined],
    ["that will be full after months", samples(30, (minute) => 100_000 * GIB - minute * MIB), undefined],
    ["that is full now", samples(30, (minute) => 10 * GIB - minute * (GIB / 3)), { fromMs: 0, toMs: 0 }],
  ])("%s", (_, seen, expected) => {
    const ms = fullInMs(seen);
    if (expected === undefined) {
      expect(ms).toBeUndefined();
      return;
    }
    expect(ms).toBeGreaterThanOrEqual(expected.fromMs);
    expect(ms).toBeLessThanOrEqual(expected.toMs);
  });

  it("that began to fill ten minutes ago is known to fill long before its window is full of it", () => {
    const seen = samples(RATE_WINDOW_MS / MINUTE, (minute) => 200 * GIB - Math.max(0, minute - 20) * 2 * GIB);
    expect(fullInMs(seen)).toBeLessThan(6 * HOUR);
  });
});

const WARNING = { percent: 10, ms: 6 * HOUR };

it.each<[string, number, number | undefined, object, boolean, boolean]>([
  ["has room", 50, undefined, WARNING, false, false],
  ["has little room", 9, undefined, WARNING, false, true],
  ["has just enough room", 10, undefined, WARNING, false, false],
  ["has room, and will be full soon", 50, 5 * HOUR, WARNING, false, true],
  ["has room, and will be full some day", 50, 7 * HOUR, WARNING, false, false],
  ["was warned of, and has hardly more room", 10, undefined, WARNING, true, true],
  ["was warned of, and has room again", 11, undefined, WARNING, true, false],
  ["was warned of, and will be full a little later", 50, 6.5 * HOUR, WARNING, true, true],
  ["was warned of, and will be full much later", 50, 6.7 * HOUR, WARNING, true, false],
  ["has less than a size", 4, undefined, { bytes: 5 * GIB }, false, true],
  ["has more than a size, whatever its rate", 6, HOUR, { bytes: 5 * GIB }, false, false],
  ["is full, and nobody wants to know", 0, 0, {}, false, false],
])("a disk that %s: warned of?", (_, freeGib, fullMs, warning, was, warned) => {
  const space = { freeBytes: freeGib * GIB, totalBytes: 100 * GIB };
  expect(isFilling(space, fullMs, warning, was)).toBe(warned);
});
