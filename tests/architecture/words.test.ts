/**
 * Plain words: phrases that a reader from another country has to guess at are kept out of what people read. A phrase is
 * added here when it has been replaced everywhere; the glossary has the words to use instead.
 */
import { describe, expect, it } from "vitest";
import { withoutComments } from "./rules.ts";
import { filesMatching, isTest, type SourceFile } from "./sources.ts";

/** In what the programs say and in hand-written pages. */
const NOWHERE: readonly [phrase: RegExp, instead: string][] = [
  [/\bneeds? a hand\b/i, "needs attention"],
  [/\bneeds you\b/i, "needs attention"],
  [/\bfails? of it\b/i, "No stream fails meanwhile."],
  [/\bThis does not fail any stream\b/i, "BLOCKED_REMEDY: what to fix comes first"],
  [/\b(goes|go) on (by itself|by themselves|where)\b/i, "resumes"],
  [/\bgoes on behind\b/i, "resumes after"],
  [/\b(is|are) not there any ?more\b/i, "no longer exists"],
  [/\bwas not asked for\b/i, "could not be started"],
  [/\bis written down yet\b/i, "No events yet"],
  [/\bmust end\b/i, "shutting down"],
];

/** In hand-written pages besides. */
const NOT_IN_PAGES: readonly [phrase: RegExp, instead: string][] = [
  [/\banew\b/i, "again"],
  [/\bof ours\b/i, "our"],
  [/\b(heals?|healed)\b/i, "recovers, resumes automatically"],
  [/\b(mends?|mended)\b/i, "fixes, corrects"],
  [/\b(is|be|been) told\b/i, "is notified, is refused, is distinguished"],
  [/\bhas told it\b/i, "has recorded it"],
  [/\bin vain\b/i, "without success"],
  [/\bgoes? on\b/i, "resumes, continues"],
];

const programs = filesMatching("{apps,packages}/*/src/**/*.{ts,tsx,mjs}")
  .filter(({ path }) => !isTest(path))
  .map(({ path, text }) => ({ path, text: withoutComments(text) }));

/**
 * Pages that people wrote. Generated ones say so at their top and take their words from the code; decisions are kept as
 * they were made; docs/phase-7.md quotes the titles of tests.
 */
const pages = filesMatching(
  "{README,CONTRIBUTING,SECURITY}.md",
  "docs/*.md",
  "docs/contributing/*.md",
).filter(
  ({ path, text }) => path !== "docs/phase-7.md" && !/do not edit|^Written by `/im.test(text.slice(0, 600)),
);

function broken(files: readonly SourceFile[], list: readonly [RegExp, string][]): string[] {
  return files.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, at) =>
      list
        // A metric's or a file's name is no sentence.
        .filter(([phrase]) => phrase.test(line.replaceAll(/`[^`]*`/g, "")))
        .map(([, instead]) => `${path}:${at + 1}: ${line.trim().slice(0, 100)} → ${instead}`),
    ),
  );
}

describe("plain words", () => {
  it("are what the programs say", () => {
    expect(broken(programs, NOWHERE)).toEqual([]);
  });

  it("are what the pages say", () => {
    expect(pages.length).toBeGreaterThan(10);
    expect(broken(pages, [...NOWHERE, ...NOT_IN_PAGES])).toEqual([]);
  });

  it("that are not would be noticed", () => {
    const page = { path: "x.md", text: "Three things need a hand.\n`sluice_paths_mended_total` counts." };
    expect(broken([page], [...NOWHERE, ...NOT_IN_PAGES])).toEqual([
      "x.md:1: Three things need a hand. → needs attention",
    ]);
  });
});
