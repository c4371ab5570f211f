import { describe, expect, it } from "vitest";
import { DEFAULT_TEMPORARY_SUFFIXES, TemporaryNames, isTemporarySuffix } from "./temporary-names.ts";

const names = new TemporaryNames(DEFAULT_TEMPORARY_SUFFIXES);

describe("a temporary suffix", () => {
  it.each([
    ["a.mp4.part", ".part", "a.mp4"],
    ["x/a.tmp", ".tmp", "x/a"],
    ["a.partial", ".partial", "a"],
    ["a.mkv.crdownload", ".crdownload", "a.mkv"],
    ["a.mkv.filepart", ".filepart", "a.mkv"],
    ["a.mkv.!qB", ".!qB", "a.mkv"],
    ["x/a.mkv.1a2b3c4d.partial", ".1a2b3c4d.partial", "x/a.mkv"],
    ["a.mkv.1A2B3C4D.partial", ".1A2B3C4D.partial", "a.mkv"],
    ["a.mkv.1a2b3c4.partial", ".partial", "a.mkv.1a2b3c4"],
    ["a.mkv.1a2b3c4z.partial", ".partial", "a.mkv.1a2b3c4z"],
    [".1a2b3c4d.partial", ".partial", ".1a2b3c4d"],
    ["a.mp4", undefined, "a.mp4"],
    [".part", undefined, ".part"],
    ["x/.tmp", undefined, "x/.tmp"],
    ["a.part.mp4", undefined, "a.part.mp4"],
    ["a!qB", undefined, "a!qB"],
  ])("F31, D2c: of %s is %s", (path, suffix, final) => {
    expect(names.suffixOf(path)).toBe(suffix);
    expect(names.finalOf(path)).toBe(final);
  });

  it("D2c: is what the watch says it is, and nothing else", () => {
    const own = new TemporaryNames([".uploading", ".<4 hex>_"]);
    expect(own.finalOf("a.uploading")).toBe("a");
    expect(own.finalOf("a.00ff_")).toBe("a");
    expect(own.suffixOf("a.part")).toBeUndefined();
    expect(new TemporaryNames([]).suffixOf("a.part")).toBeUndefined();
  });

  it.each([
    [".part", true],
    ["~", true],
    [".<8 hex>.partial", true],
    ["", false],
    [".a/b", false],
    [".<8 octal>", false],
    [".<0 hex>", false],
    [".a b", false],
    [".done", false],
  ])("D2c: %j may be one: %s", (text, may) => {
    expect(isTemporarySuffix(text)).toBe(may);
  });
});
