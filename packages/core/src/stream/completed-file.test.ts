import { describe, expect, it } from "vitest";
import { judgeChanged, judgeCompleted, pauseBefore, renewedEntry, type DoneEntry } from "./completed-file.ts";
import type { FileFacts } from "./identity.ts";

const seen: FileFacts = {
  size: 100,
  inode: "7",
  device: "1",
  boot: "this",
  birthtimeNs: "1000",
  mtimeNs: "2000000000",
  ctimeNs: "2000000000",
};
const entry: DoneEntry = {
  stream_id: "s1",
  file_inode: "7",
  file_device: "1",
  file_boot: "this",
  file_birthtime_ns: "1000",
  file_size: 100,
  file_mtime_ns: "2000000000",
  file_ctime_ns: "2000000000",
  s3_bucket: "b",
  s3_key: "k",
  crc32: "AAAAAA==",
  completed_at_utc: "2026-01-01T00:00:00.000Z",
};
const { birthtimeNs: _birth, ...bare } = seen;
const { file_ctime_ns: _ctime, ...withoutCtime } = entry;
const { crc32: _crc, ...withoutCrc } = entry;

const UNCHANGED = { kind: "unchanged" };
const REREAD = { kind: "reread", urgent: true };
const REOPEN = { kind: "reopen" };
const ANOTHER = { kind: "another", shorter: false };
const SHORTER = { kind: "another", shorter: true };

describe("a completed file that is seen again", () => {
  it.each([
    ["nothing moved", entry, seen, UNCHANGED],
    ["D3b: ctime alone moved", entry, { ...seen, ctimeNs: "3" }, { kind: "reread", urgent: false }],
    ["written in place, as long as before", entry, { ...seen, mtimeNs: "3" }, REREAD],
    ["D1d: copied back under another inode", entry, { ...seen, inode: "8", birthtimeNs: "9" }, REREAD],
    ["D1d: restored with its old mtime", entry, { ...seen, inode: "8", ctimeNs: "9" }, REREAD],
    ["it grew", entry, { ...seen, size: 101 }, REOPEN],
    ["D1a: it is shorter", entry, { ...seen, size: 99 }, SHORTER],
    [
      "D1a: it was shorter once, and is longer now",
      { ...entry, seen_shorter: true },
      { ...seen, size: 101 },
      ANOTHER,
    ],
    [
      "D1a: it was shorter once, and is as long again",
      { ...entry, seen_shorter: true },
      { ...seen, mtimeNs: "3" },
      REREAD,
    ],
    ["another file, longer", entry, { ...seen, inode: "8", size: 101 }, ANOTHER],
    ["D1b: without birth time, longer: its bytes decide", entry, { ...bare, size: 101 }, REOPEN],
    [
      "D1b: without birth time, nothing moved, whatever its number is now",
      entry,
      { ...bare, inode: "8" },
      UNCHANGED,
    ],
    ["no CRC32 is known, and it was written", withoutCrc, { ...seen, mtimeNs: "3" }, REOPEN],
    ["no CRC32 is known, and nothing moved", withoutCrc, seen, UNCHANGED],
  ] as const)("%s", (_case, known, facts, verdict) => {
    expect(judgeCompleted(known, facts)).toMatchObject(verdict);
  });

  it("D3b: gives an entry of the first edition its ctime, and nothing is read", () => {
    expect(judgeCompleted(withoutCtime, seen)).toEqual({ kind: "unchanged", renewed: entry });
  });

  it("gives the entry the device number of this boot", () => {
    const after = { ...seen, device: "5", boot: "next" };
    expect(judgeCompleted(entry, after)).toEqual({
      kind: "unchanged",
      renewed: { ...entry, file_device: "5", file_boot: "next" },
    });
    expect(judgeCompleted(entry, seen)).toEqual(UNCHANGED);
  });

  it.each([
    ["the same file with other bytes", { ...seen, ctimeNs: "3" }, REOPEN],
    ["another file with other bytes", { ...seen, inode: "8" }, ANOTHER],
  ] as const)("after it was read again: %s", (_case, facts, verdict) => {
    expect(judgeChanged(entry, facts)).toEqual(verdict);
  });

  it("D1d: takes its new identity on", () => {
    const copy = { ...bare, inode: "8", mtimeNs: "5", ctimeNs: "6" };
    const { file_birthtime_ns: _none, ...renewed } = {
      ...entry,
      file_inode: "8",
      file_mtime_ns: "5",
      file_ctime_ns: "6",
    };
    expect(renewedEntry(entry, copy)).toEqual(renewed);
  });
});

describe("D2e: the pause before a new generation", () => {
  it.each([
    ["between the last write that was sealed and the first one after", entry, "10000000000", 8000],
    ["or a longer one of the generations before", { ...entry, longest_pause_ms: 9000 }, "10000000000", 9000],
    ["never negative, whatever mtime was set", entry, "1", 0],
  ] as const)("is that %s", (_case, known, mtimeNs, ms) => {
    expect(pauseBefore(known, { ...seen, mtimeNs })).toBe(ms);
  });
});
