import { describe, expect, it } from "vitest";
import { FACTS } from "../testing/test-values.ts";
import { compareWithSnapshot, timestampStepMs } from "./snapshot.ts";

describe("P8: beside the snapshot of the verified file", () => {
  it.each([
    ["nothing moved", {}, "same"],
    ["its volume was mounted under another device number", { device: "77" }, "same"],
    ["the file system told no birth time this time", { birthtimeNs: undefined }, "same"],
    ["D7b: ctime alone moved", { ctimeNs: "4" }, "touched"],
    ["it is longer", { size: 10, ctimeNs: "4" }, "changed"],
    ["it was written", { mtimeNs: "4", ctimeNs: "4" }, "changed"],
    ["another file has its name", { inode: "8" }, "changed"],
    ["it has another number, where numbers prove nothing", { inode: "8", birthtimeNs: undefined }, "touched"],
    ["another file has its name and inode number", { birthtimeNs: "9" }, "changed"],
  ])("%s", (_case, over, compared) => {
    const seen = { ...FACTS, ...over };
    if ("birthtimeNs" in over && over.birthtimeNs === undefined)
      delete (seen as { birthtimeNs?: string }).birthtimeNs;
    expect(compareWithSnapshot(FACTS, seen as typeof FACTS)).toBe(compared);
  });
});

describe("D7g: a change leaves no trace in the times", () => {
  it.each([
    [
      "for two seconds where both times are whole seconds",
      "1700000000000000000",
      "1700000002000000000",
      2_020,
    ],
    ["for a tick where ctime has fractions", "1700000000000000000", "1700000002000000001", 20],
    ["for a tick where mtime has fractions", "1700000000100000000", "1700000002000000000", 20],
  ])("%s", (_case, mtimeNs, ctimeNs, ms) => {
    expect(timestampStepMs({ mtimeNs, ctimeNs })).toBe(ms);
  });
});
