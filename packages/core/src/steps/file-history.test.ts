import { describe, expect, it } from "vitest";
import type { FileFacts } from "../stream/identity.ts";
import { FileHistory } from "./file-history.ts";

/** `mtimeMs`: by default as its size says. */
const facts = (size: number, mtimeMs = size): FileFacts => ({
  size,
  inode: "1",
  device: "1",
  mtimeNs: `${mtimeMs}000000`,
  ctimeNs: `${mtimeMs}000000`,
});

it("C8, F29: quiet counts from the change that was seen, on the monotonic clock, not from mtime", () => {
  const history = new FileHistory(1_000, 0);
  expect(history.firstLook).toBe(true);
  expect(history.see(facts(5, 99_999_999_999_999), 1_500)).toBe(false);
  expect(history.firstLook).toBe(false);
  expect(history.quietMs(4_000)).toBe(3_000);
  expect(history.see(facts(6), 5_000)).toBe(true);
  expect(history.quietMs(5_000)).toBe(0);
});

it("a change of mtime alone is a change", () => {
  const history = new FileHistory(0, 0);
  history.see(facts(5, 1), 0);
  expect(history.see(facts(5, 2), 10)).toBe(true);
  expect(history.see(facts(5, 2), 20)).toBe(false);
});

it("a change of size alone is a change", () => {
  const history = new FileHistory(0, 0);
  history.see(facts(5, 1), 0);
  expect(history.see(facts(6, 1), 10)).toBe(true);
});

it("a pause lies between two changes that were both seen; what was known before is not forgotten", () => {
  const history = new FileHistory(0, 7_000);
  history.see(facts(1, 0), 0);
  history.see(facts(2, 60_000), 60_000);
  expect(history.longestPauseMs).toBe(7_000);
  history.nextLookIn(5_000, 60_000);
  history.see(facts(3, 65_000), 65_000);
  expect(history.longestPauseMs).toBe(7_000);
  history.nextLookIn(25_000, 65_000);
  history.see(facts(4, 90_000), 90_000);
  expect(history.longestPauseMs).toBe(25_000);
});

describe("D8g: the longest pause after a write at 1,000 ms that was seen at once", () => {
  interface Look {
    atMs: number;
    mtimeMs: number;
    /** The next look was due this long after. */
    nextMs: number;
  }
  const same = (atMs: number, nextMs: number): Look => ({ atMs, mtimeMs: 1_000, nextMs });

  it.each<[string, Look[], number]>([
    [
      "is between the mtimes, not between the looks",
      [same(1_500, 5_000), { atMs: 6_400, mtimeMs: 3_000, nextMs: 0 }],
      2_000,
    ],
    [
      "counts looks that are rare as they are meant to be",
      [same(6_000, 5_000), { atMs: 11_000, mtimeMs: 10_900, nextMs: 0 }],
      9_900,
    ],
    [
      "is none while this process was frozen and the writer went on",
      [same(1_050, 3_000), { atMs: 31_000, mtimeMs: 30_900, nextMs: 0 }],
      50,
    ],
    [
      "is what was seen of it before this process was frozen",
      [same(4_000, 3_000), { atMs: 34_000, mtimeMs: 33_000, nextMs: 0 }],
      3_000,
    ],
    [
      "is not of years when an old mtime was copied first",
      [
        { atMs: 1_000, mtimeMs: -9_000_000_000, nextMs: 500 },
        { atMs: 1_400, mtimeMs: 1_400, nextMs: 0 },
      ],
      400,
    ],
    [
      "is not of years when a later mtime is set",
      [same(1_500, 5_000), { atMs: 2_000, mtimeMs: 9_000_000_000, nextMs: 0 }],
      1_000,
    ],
    [
      "is what was seen when the mtime is set back",
      [same(1_500, 5_000), { atMs: 2_000, mtimeMs: -5_000, nextMs: 0 }],
      1_000,
    ],
  ])("%s", (_case, looks, expected) => {
    const history = new FileHistory(0, 0);
    history.see(facts(1, 0), 0);
    history.see(facts(2, 1_000), 1_000);
    history.nextLookIn(500, 1_000);
    for (const { atMs, mtimeMs, nextMs } of looks) {
      history.see(facts(2, mtimeMs), atMs);
      history.nextLookIn(nextMs, atMs);
    }
    expect(history.longestPauseMs).toBe(expected);
  });

  it("is none while a step of ours hung: the next look was due at once", () => {
    const history = new FileHistory(0, 0);
    history.see(facts(1, 0), 0);
    history.see(facts(2, 1_000), 1_000);
    // Redis answered only now; then an event came at once.
    history.nextLookIn(5_000, 30_950);
    history.see(facts(3, 30_900), 31_000);
    expect(history.longestPauseMs).toBe(0);
    expect(history.quietMs(31_000), "quiet counts from what was seen").toBe(0);
  });
});
