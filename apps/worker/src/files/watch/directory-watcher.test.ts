import { describe, expect, it } from "vitest";
import { DirectoryTree } from "./directory-watcher.ts";

const DIRECTORY = { isDirectory: () => true };
const FILE = { isDirectory: () => false };

function tree(): DirectoryTree {
  return new DirectoryTree(import.meta.dirname, (name) => !name.startsWith("."));
}

const at = (name: string): string => `${import.meta.dirname}/${name}`;

describe("what is followed", () => {
  it("is the root and every directory, and no file", () => {
    const followed = tree();
    expect(followed.ignores(import.meta.dirname)).toBe(false);
    expect(followed.ignores(at("sub"), DIRECTORY)).toBe(false);
    expect(followed.ignores(at("a.mp4"), FILE)).toBe(true);
    expect(followed.ignores(at(".hidden"), DIRECTORY)).toBe(true);
  });

  it("is known afterwards without a look, until it is removed", () => {
    const followed = tree();
    followed.ignores(at("sub"), DIRECTORY);
    expect(followed.ignores(at("sub"))).toBe(false);
    followed.removed(at("sub"));
    expect(followed.ignores(at("sub"))).toBe(true);
    followed.removed(import.meta.dirname);
    expect(followed.ignores(import.meta.dirname)).toBe(false);
  });

  it("does not include a file that changed or is gone, so that its directory is not listed for it", () => {
    const followed = tree();
    expect(followed.ignores(at("changed.mp4"))).toBe(true);
    expect(followed.appeared(at("gone.mp4"))).toBe(true);
    expect(followed.ignores(at("gone.mp4"))).toBe(true);
  });

  it("is asked of the file system for a name that just appeared", () => {
    const followed = new DirectoryTree("/", () => true);
    followed.appeared(import.meta.dirname);
    expect(followed.ignores(import.meta.dirname)).toBe(false);
    followed.appeared(import.meta.filename);
    expect(followed.ignores(import.meta.filename)).toBe(true);
  });

  it("may miss a directory among more new names than are remembered, which is said", () => {
    const followed = tree();
    for (let n = 0; n < 50_000; n += 1) followed.appeared(at(`${n}`));
    expect(followed.appeared(at("0"))).toBe(true);
    expect(followed.appeared(at("one-more"))).toBe(false);
    followed.ignores(at("0"));
    expect(followed.appeared(at("one-more"))).toBe(true);
  });
});
