import { describe, expect, it } from "vitest";
import {
  factsAsFields,
  fileTokenText,
  identityKey,
  knownAs,
  sameFile,
  unchanged,
  type FileFacts,
} from "./identity.ts";

const seen: FileFacts = {
  size: 100,
  inode: "7",
  device: "1",
  boot: "this",
  birthtimeNs: "1000",
  mtimeNs: "2000",
  ctimeNs: "2000",
};
const known = {
  file_inode: "7",
  file_birthtime_ns: "1000",
  file_device: "1",
  file_boot: "this",
  file_size: 100,
  file_mtime_ns: "2000",
};
const { birthtimeNs: _birth, ...bare } = seen;
const { file_birthtime_ns: _known, ...unborn } = known;

const SAME = { kind: "same" };
const ASK = { kind: "ask_bytes" };
const REPLACED = { kind: "other", because: "file_replaced" };
const TRUNCATED = { kind: "other", because: "file_truncated" };

describe("D1e: the same file, at the path it is known by", () => {
  it.each([
    ["same inode and birth time, longer than what was sent", known, seen, 90, SAME],
    ["exactly as long as what was sent", known, seen, 100, SAME],
    ["F4: shorter than what was sent", known, seen, 101, TRUNCATED],
    ["F8: another inode", { ...known, file_inode: "8" }, seen, 0, REPLACED],
    ["F9: the inode used again, another birth time", { ...known, file_birthtime_ns: "9" }, seen, 0, REPLACED],
    ["another file that is shorter too is another file", { ...known, file_inode: "8" }, seen, 500, REPLACED],
    ["no birth time in the record", unborn, seen, 0, ASK],
    ["no inode in the record", { file_birthtime_ns: "1000" }, seen, 0, ASK],
    ["a founding record knows neither", {}, seen, 0, ASK],
    ["D1b: no birth time on the file system", known, bare, 0, ASK],
    [
      "D1b: neither birth time nor the same number: numbers are given anew",
      unborn,
      { ...bare, inode: "8" },
      0,
      ASK,
    ],
    ["no birth time, shorter than what was sent", unborn, bare, 101, TRUNCATED],
    ["a volume that was mounted again within one boot", known, { ...seen, device: "2" }, 0, ASK],
    ["the device of another boot says nothing", known, { ...seen, device: "2", boot: "next" }, 0, SAME],
    [
      "a device without a boot says nothing",
      { ...known, file_boot: undefined },
      { ...seen, device: "2" },
      0,
      SAME,
    ],
  ] as const)("%s", (_case, record, facts, sentBytes, answer) => {
    expect(sameFile(record, facts, { at: "its_path", sentBytes })).toEqual(answer);
  });
});

describe("the same file, under another name", () => {
  it.each([
    [
      "same inode and birth time, whatever its size and mtime",
      known,
      { ...seen, size: 7, mtimeNs: "9" },
      true,
      SAME,
    ],
    ["another birth time", known, { ...seen, birthtimeNs: "9" }, true, REPLACED],
    ["D7e: the copy of a volume beside it", known, { ...seen, device: "2" }, true, REPLACED],
    [
      "D7e: equal numbers on two volumes without birth times",
      unborn,
      { ...bare, device: "2" },
      false,
      REPLACED,
    ],
    ["no birth time: a completed file that nothing changed", unborn, bare, true, ASK],
    [
      "D1b: no birth time: a longer file got the number of a completed one",
      unborn,
      { ...bare, size: 101 },
      true,
      REPLACED,
    ],
    ["D1b: no birth time: as long, but written later", unborn, { ...bare, mtimeNs: "2001" }, true, REPLACED],
    [
      "no birth time: a live file, which may have grown meanwhile",
      unborn,
      { ...bare, size: 101 },
      false,
      ASK,
    ],
    ["no birth time, another number", unborn, { ...bare, inode: "8" }, false, REPLACED],
    ["a founding record knows nothing of its file", {}, seen, false, REPLACED],
  ] as const)("%s", (_case, entry, facts, completed, answer) => {
    expect(sameFile(entry, facts, { at: "another_path", completed })).toEqual(answer);
  });
});

it("an index by identity finds every candidate, and may find more", () => {
  expect(identityKey(knownAs(seen))).toBe(identityKey(known));
  expect(identityKey(knownAs({ ...seen, device: "2" }))).toBe(identityKey(known));
  expect(identityKey(knownAs(bare))).not.toBe(identityKey(known));
});

describe("nothing about a file moved", () => {
  it("when all is the same but its device", () => {
    expect(unchanged(seen, { ...seen, device: "2" })).toBe(true);
  });

  it.each(["size", "mtimeNs", "ctimeNs", "inode", "birthtimeNs"] as const)("unless its %s did", (field) => {
    const after = { ...seen, [field]: field === "size" ? 101 : "1" };
    expect(unchanged(seen, after)).toBe(false);
  });
});

it("the token's text holds source, inode and birth time, and no path", () => {
  expect(fileTokenText("box", seen)).toBe("box\n7\n1000");
  expect(fileTokenText("box", { inode: "7" })).toBe("box\n7\n");
});

it("the fields of a record without birth time say that there is none", () => {
  const { birthtimeNs: _, ...facts } = seen;
  expect(factsAsFields(facts)).toMatchObject({ file_size: 100, file_birthtime_ns: null });
});
