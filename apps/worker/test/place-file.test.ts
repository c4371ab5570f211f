/** Where hard links cannot be had a name is taken by an empty file of our own first; no file is ever overwritten. */
import {
  appendFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { placeFile, placeUnderFreeName, placeWithoutLinks } from "../src/files/tidy/place-file.ts";
import { volumeWithoutLinks } from "./rig/old-volume.ts";
import { temporaryDirectory, type TemporaryDirectory } from "./temporary-directory.ts";

let directory: TemporaryDirectory;
let from: string;
let to: string;

beforeEach(() => {
  directory = temporaryDirectory();
  mkdirSync(directory.at("in"));
  from = directory.at("in/from");
  to = directory.at("in/to.mp4");
  writeFileSync(from, "ours");
});

afterEach(() => {
  directory[Symbol.dispose]();
});

const names = (): string[] => readdirSync(directory.at("in")).toSorted();
const text = (path: string): string => readFileSync(path, "utf8");

describe("D7k: without hard links", () => {
  it("a file gets a free name and stays the file it is", async () => {
    const { ino } = lstatSync(from);
    expect(await placeWithoutLinks(from, to)).toBe("placed");
    expect(lstatSync(to).ino).toBe(ino);
    expect(names()).toEqual(["to.mp4"]);
    expect(text(to)).toBe("ours");
  });

  it("a name that is in use is not taken", async () => {
    writeFileSync(to, "theirs");
    expect(await placeWithoutLinks(from, to)).toBe("taken");
    expect([text(from), text(to)]).toEqual(["ours", "theirs"]);
  });

  it("a file that is gone leaves no empty one behind", async () => {
    rmSync(from);
    await expect(placeWithoutLinks(from, to)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(placeWithoutLinks(to, from, () => undefined)).rejects.toMatchObject({ code: "ENOENT" });
    expect(names()).toEqual([]);
  });

  it("a file that vanishes right before the rename leaves no empty one behind", async () => {
    await expect(placeWithoutLinks(from, to, () => rmSync(from))).rejects.toMatchObject({ code: "ENOENT" });
    expect(names()).toEqual([]);
  });

  it.each<[string, () => void]>([
    ["writes", () => writeFileSync(to, "theirs")],
    [
      "renames a file of its own",
      () => {
        writeFileSync(directory.at("in/other"), "theirs");
        renameSync(directory.at("in/other"), to);
      },
    ],
    [
      "removes the name and makes a file",
      () => {
        rmSync(to);
        writeFileSync(to, "theirs");
      },
    ],
  ])("another program that %s between the two steps keeps its bytes", async (_case, meanwhile) => {
    expect(await placeWithoutLinks(from, to, meanwhile)).toBe("taken");
    expect([text(from), text(to)]).toEqual(["ours", "theirs"]);
  });

  it("a name whose file another program removed between the two steps counts as taken", async () => {
    expect(await placeWithoutLinks(from, to, () => rmSync(to))).toBe("taken");
    expect(text(from)).toBe("ours");
  });
});

it("D7k: a file with as many names as the file system allows still gets its name, and never another file's", async () => {
  writeFileSync(to, "theirs");
  expect(await placeFile(from, to)).toBe("taken");
  expect(await placeUnderFreeName(from, to)).toBe(directory.at("in/to-2.mp4"));
  expect(existsSync(from)).toBe(false);
  expect([text(to), text(directory.at("in/to-2.mp4"))]).toEqual(["theirs", "ours"]);
});

it("D7k: on a volume without hard links no file is overwritten, also by one that comes between the two steps", async () => {
  const root = directory.at("volume");
  mkdirSync(root);
  using volume = volumeWithoutLinks(root);
  const at = (name: string): string => `${root}/${name}`;
  const make = (name: string, words: string): string => {
    writeFileSync(at(name), words);
    return at(name);
  };
  const ours = make("ours", "ours");
  if (volume.is !== "as it was") expect(() => linkSync(ours, at("link"))).toThrow(/EPERM|ENOTSUP|ENOSYS/);
  const theirs = make("to.mp4", "theirs");
  expect(await placeFile(ours, theirs)).toBe("taken");
  expect([text(ours), text(theirs)]).toEqual(["ours", "theirs"]);
  expect(await placeUnderFreeName(ours, theirs)).toBe(at("to-2.mp4"));
  expect([text(theirs), text(at("to-2.mp4"))]).toEqual(["theirs", "ours"]);

  const next = make("next", "next");
  expect(await placeWithoutLinks(next, at("free"), () => appendFileSync(at("free"), "theirs"))).toBe("taken");
  const other = make("other", "theirs as well");
  expect(await placeWithoutLinks(next, at("name"), () => renameSync(other, at("name")))).toBe("taken");
  expect([text(next), text(at("free")), text(at("name"))]).toEqual(["next", "theirs", "theirs as well"]);
  expect(await placeWithoutLinks(next, at("new"))).toBe("placed");
  expect(
    readdirSync(root)
      .filter((name) => name !== "lost+found")
      .toSorted(),
  ).toEqual(["free", "name", "new", "to-2.mp4", "to.mp4"]);
});
