import { describe, expect, it } from "vitest";
import { pathFilter, type FilterRules } from "./path-filter.ts";

const ROOT = "/data";
const NOW = 1_800_000_000_000;
const RECENT = { mtimeNs: `${BigInt(NOW - 1_000) * 1_000_000n}` };

function refuse(name: string, rules: Partial<FilterRules> = {}, root = ROOT): string | undefined {
  const filter = pathFilter(root, { include: [], exclude: [], ...rules });
  return filter.refuse(`${root === "/" ? "" : root}/${name}`, RECENT, NOW);
}

describe("without rules", () => {
  it.each([
    "a.mp4",
    "deep/er/b.wav",
    "no-extension",
    "%",
    "name with space",
    "\udcff.mp4",
    "a~b",
    "x.part",
    "done",
  ])("%j is a stream", (name) => {
    expect(refuse(name)).toBeUndefined();
  });

  it.each([
    ["a.mp4.done", "marker"],
    [".done", "marker"],
    [".hidden", "hidden"],
    [".cache/a.mp4", "hidden"],
    ["a/.git/b.mp4", "hidden"],
    ["a.txt~", "leftover"],
    ["a.swp", "leftover"],
    [".a.mp4.swp", "leftover"],
    [".nfs0001", "leftover"],
    ["lost+found/x", "leftover"],
    ["a/lost+found/x", "leftover"],
    [".sluice-other", "own"],
    [".sluice-tidy-01hzx3k9w8m2n4p6q7r8s9t0v1/a.mp4", "own"],
    ["deep/.sluice-tidy-01hzx3k9w8m2n4p6q7r8s9t0v1/a.mp4", "own"],
  ])("%j is none: %s", (name, why) => {
    expect(refuse(name)).toBe(why);
  });
});

describe("include", () => {
  it("leaves out what matches no pattern; a pattern without a slash is for the name, one with a slash for the path", () => {
    const rules = { include: ["*.mp4", "raw/**/*.{wav,flac}"] };
    expect(refuse("a.mp4", rules)).toBeUndefined();
    expect(refuse("deep/er/a.mp4", rules)).toBeUndefined();
    expect(refuse("raw/x/y/a.flac", rules)).toBeUndefined();
    expect(refuse("raw/a.wav", rules)).toBeUndefined();
    expect(refuse("other/a.wav", rules)).toBe("not_included");
    expect(refuse("a.mkv", rules)).toBe("not_included");
  });

  it("takes a path from the watch's root with or without a slash in front", () => {
    expect(refuse("raw/a", { include: ["/raw/*"] })).toBeUndefined();
    expect(refuse("raw/a", { include: ["./raw/*"] })).toBeUndefined();
  });

  it("brings in hidden files and leftovers only by name, never by a star that happens to match", () => {
    for (const include of [["*"], ["**"], ["**/*"]]) {
      expect(refuse("a.swp", { include })).toBe("leftover");
      expect(refuse("a~", { include })).toBe("leftover");
      expect(refuse(".hidden", { include })).toBe("hidden");
      expect(refuse("lost+found/a", { include })).toBe("leftover");
    }
    expect(refuse("a.swp", { include: ["*.swp"] })).toBeUndefined();
    expect(refuse("a.swp", { include: ["*.{mp4,swp}"] })).toBeUndefined();
    expect(refuse("a.txt~", { include: ["*~"] })).toBeUndefined();
    expect(refuse(".hidden", { include: [".*"] })).toBeUndefined();
    expect(refuse(".cache/a.mp4", { include: [".cache/*.mp4"] })).toBeUndefined();
    expect(refuse("lost+found/a", { include: ["lost+found/*"] })).toBeUndefined();
  });

  it("does not open every hidden directory because one is named", () => {
    const include = ["*.mp4", ".cache/*.mp4"];
    expect(refuse(".trash/a.mp4", { include })).toBe("hidden");
    expect(refuse(".cache/a.mp4", { include })).toBeUndefined();
  });

  it("never brings in a marker, nor a file that is just being tidied", () => {
    expect(refuse("a.done", { include: ["*.done"] })).toBe("marker");
    const tidying = ".sluice-tidy-01hzx3k9w8m2n4p6q7r8s9t0v1";
    expect(refuse(`${tidying}/a.mp4`, { include: [".sluice*/*"] })).toBe("own");
    expect(pathFilter(ROOT, { include: [".sluice*/*"], exclude: [] }).enters(tidying)).toBe(false);
    expect(refuse(".sluice-mine", { include: [".sluice*"] })).toBeUndefined();
  });
});

describe("exclude", () => {
  it("wins over include", () => {
    expect(refuse("a.mp4", { include: ["*.mp4"], exclude: ["a.*"] })).toBe("excluded");
    expect(refuse("tmp/a.mp4", { exclude: ["tmp/**"] })).toBe("excluded");
    expect(refuse("x/tmp/a.mp4", { exclude: ["tmp/**"] })).toBeUndefined();
  });
});

describe("age", () => {
  it("leaves out files whose last write is too long ago, and takes them when they are written again", () => {
    const filter = pathFilter(ROOT, { include: [], exclude: [], ignoreOlderThanMs: 60_000 });
    const at = (msAgo: number) => ({ mtimeNs: `${BigInt(NOW - msAgo) * 1_000_000n}` });
    expect(filter.refuse("/data/a", at(60_001), NOW)).toBe("too_old");
    expect(filter.refuse("/data/a", at(60_000), NOW)).toBeUndefined();
    expect(filter.refuse("/data/a", at(-60_000), NOW)).toBeUndefined();
  });
});

describe("directories", () => {
  it("that are hidden or lost+found are entered only when a pattern names one", () => {
    const usual = pathFilter(ROOT, { include: [], exclude: [] });
    expect([".cache", "lost+found", "raw"].map((name) => usual.enters(name))).toEqual([false, false, true]);
    const named = pathFilter(ROOT, { include: [".cache/*", "lost+found/*"], exclude: [] });
    expect([".cache", "lost+found", "raw"].map((name) => named.enters(name))).toEqual([true, true, true]);
  });
});

it("a watch on / has paths of one slash less", () => {
  expect(refuse("a.mp4", { include: ["a.mp4"] }, "/")).toBeUndefined();
});

describe("a file under a temporary name", () => {
  const tempSuffixes = [".part", ".<8 hex>.partial"];

  it("D2c: is judged by the name it will have as well as by its own", () => {
    expect(refuse("a.iso.part", { tempSuffixes, exclude: ["*.iso"] })).toBe("excluded");
    expect(refuse("raw/a.iso.1a2b3c4d.partial", { tempSuffixes, exclude: ["raw/*.iso"] })).toBe("excluded");
    expect(refuse("a.mp4.part", { tempSuffixes, exclude: ["*.part"] })).toBe("excluded");
    expect(refuse("a.mp4.part", { tempSuffixes, include: ["*.mp4"] })).toBeUndefined();
    expect(refuse("a.mp4.part", { include: ["*.mp4"] })).toBe("not_included");
  });
});
