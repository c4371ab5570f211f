/** The pages on how to add something name files that exist, and every word of the glossary is in one place. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { filesMatching } from "./sources.ts";

const ROOT = join(import.meta.dirname, "../..");
const pages = filesMatching("docs/internals/contributing/*.md");

/** A code span that is a path of the checkout; `<…>` in one is whatever the reader adds, so its folder is looked for. */
function missingPaths(text: string): string[] {
  return [...text.matchAll(/`((?:apps|packages|tests|scripts|docs|deploy)\/[^`\s]*)`/g)]
    .map(([, path = ""]) => path)
    .map((path) => (path.includes("<") ? path.slice(0, path.lastIndexOf("/", path.indexOf("<"))) : path))
    .filter((path) => !existsSync(join(ROOT, path)));
}

describe("a page for contributors", () => {
  it.each(pages.map(({ path, text }) => [path, text]))(
    "%s names only files that exist, in at most 30 lines",
    (_path, text) => {
      expect(missingPaths(text)).toEqual([]);
      expect(text.trim().split("\n").length).toBeLessThanOrEqual(30);
    },
  );

  it("is linked from CONTRIBUTING.md, as is the glossary", () => {
    const contributing = readFileSync(join(ROOT, "CONTRIBUTING.md"), "utf8");
    const linked = [...pages.map(({ path }) => path), "docs/reference/glossary.md"];
    expect(pages.length).toBeGreaterThan(0);
    expect(linked.filter((path) => !contributing.includes(`(${path})`))).toEqual([]);
  });

  it("that named a file that does not exist would be noticed", () => {
    expect(missingPaths("`packages/core/src/no-such.ts` and `apps/no-such/<name>.ts`, `npm test`")).toEqual([
      "packages/core/src/no-such.ts",
      "apps/no-such",
    ]);
  });
});

describe("the glossary", () => {
  it("is sorted and explains each word once", () => {
    const words = [
      ...readFileSync(join(ROOT, "docs/reference/glossary.md"), "utf8").matchAll(/^\| \*\*([^*]+)\*\* \|/gm),
    ].map(([, word = ""]) => word);
    expect(words.length).toBeGreaterThan(20);
    expect(words).toEqual([...new Set(words)].toSorted((a, b) => a.localeCompare(b, "en")));
  });
});
