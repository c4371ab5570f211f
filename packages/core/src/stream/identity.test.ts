import { describe, expect, it } from "vitest";
import { factsAsFields, fileTokenText, sameFile, unchanged, type FileFacts } from "./identity.ts";

const seen: FileFacts = {
  size: 100,
  inode: "7",
  device: "1",
  birthtimeNs: "1000",
  mtimeNs: "2000",
  ctimeNs: "2000",
};
const known = { file_inode: "7", file_birthtime_ns: "1000" };

describe("the same file", () => {
  it.each([
    ["same inode and birth time, longer than what was sent", known, seen, 90, { same: true, sure: true }],
    ["exactly as long as what was sent", known, seen, 100, { same: true, sure: true }],
    ["F4: shorter than what was sent", known, seen, 101, { same: false, because: "file_truncated" }],
    ["F8: another inode", { ...known, file_inode: "8" }, seen, 0, { same: false, because: "file_replaced" }],
    [
      "F9: the inode used again, another birth time",
      { ...known, file_birthtime_ns: "999" },
      seen,
      0,
      { same: false, because: "file_replaced" },
    ],
    [
      "another file that is shorter too is another file",
      { ...known, file_inode: "8" },
      seen,
      500,
      { same: false, because: "file_replaced" },
    ],
    ["no birth time in the record", { file_inode: "7" }, seen, 0, { same: true, sure: false }],
    ["no inode in the record", { file_birthtime_ns: "1000" }, seen, 0, { same: true, sure: false }],
    ["a founding record knows neither", {}, seen, 0, { same: true, sure: false }],
  ] as const)("%s", (_case, record, facts, sent, answer) => {
    expect(sameFile(record, facts, sent)).toEqual(answer);
  });

  it("is not sure where the file system keeps no birth time", () => {
    const { birthtimeNs: _, ...facts } = seen;
    expect(sameFile(known, facts, 0)).toEqual({ same: true, sure: false });
  });

  it("does not ask for the device, which changes across boots", () => {
    expect(sameFile(known, { ...seen, device: "99" }, 0)).toEqual({ same: true, sure: true });
  });
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
