/**
 * Plain words: phrases that a reader from another country has to guess at are kept out of what people read. A phrase is
 * added here when it has been replaced everywhere; the glossary has the words to use instead.
 */
import { describe, expect, it } from "vitest";
import { withoutComments } from "./rules.ts";
import { filesMatching, isTest, type SourceFile } from "./sources.ts";

type Phrases = readonly [phrase: RegExp, instead: string][];

/** In what the programs say and in hand-written pages. */
const NOWHERE: Phrases = [
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
  [/\bHeadObject decides\b/i, "Sluice looks at the object before doing anything more"],
  [/\bno better than an empty\b/i, "say what to do instead"],
];

/** In hand-written pages besides. */
const NOT_IN_PAGES: Phrases = [
  [/\banew\b/i, "again"],
  [/\bof ours\b/i, "our"],
  [/\b(heals?|healed)\b/i, "recovers, resumes automatically"],
  [/\b(mends?|mended)\b/i, "fixes, corrects"],
  [/\b(is|be|been) told\b/i, "is notified, is refused, is distinguished"],
  [/\bhas told it\b/i, "has recorded it"],
  [/\bin vain\b/i, "without success"],
  [/\bgoes? on\b/i, "resumes, continues"],
];

/** In sources besides: in comments, in strings and as names. */
const NOT_IN_SOURCES: Phrases = [
  [/\btold\b/i, "notified, reported, logged"],
  [/\btells? (apart|of|that|whether|which|nothing)\b/i, "distinguishes, reports, shows"],
  [/\banew\b/i, "again"],
  [/\bof ours\b(?!\))/i, "our"],
  [/\bin vain\b/i, "without success"],
  [/\b(heals?|healed)\b/i, "recovers, resumes automatically"],
  [/\b(mends?|mended)\b/i, "repairs, corrects"],
  [/\b(go|goes|going|went) on\b/i, "continues, resumes"],
  [/\b(stands?|stood)\b/i, "is, exists"],
  [/\b(bears?|bore|borne)\b/i, "has"],
  [/\bthere any ?more\b/i, "no longer exists"],
  [/\bwhoever\b/i, "who: the caller, the user, the owner"],
  [/\bfounding (phase|record)\b/i, "early version"],
];

/** Text that is not the file's own: titles of tests, names of rows in recorded results. */
const QUOTES: ReadonlySet<string> = new Set([
  "packages/core/scripts/retry-loops.ts",
  "bench/src/bars.ts",
  "bench/src/guard.ts",
]);

const sources = filesMatching(
  "{apps,packages}/*/{src,scripts}/**/*.{ts,tsx,mjs,lua}",
  "bench/src/**/*.ts",
  "scripts/**/*.{ts,mjs}",
).filter(({ path }) => !isTest(path) && !/\/(testing|fixtures)\/|\.gen\.ts$/.test(path) && !QUOTES.has(path));

const programs = sources
  .filter(({ path }) => /^(apps|packages)\/[^/]+\/src\/.*\.(ts|tsx|mjs)$/.test(path))
  .map(({ path, text }) => ({ path, text: withoutComments(text) }));

/**
 * Pages that people wrote. Generated ones say so at their top and take their words from the code; decisions are kept as
 * they were made; docs/internals/phase-7.md quotes the titles of tests.
 */
const pages = filesMatching(
  "{README,CONTRIBUTING,SECURITY}.md",
  "docs/*.md",
  "docs/{guides,reference,internals}/*.md",
  "docs/internals/contributing/*.md",
).filter(
  ({ path, text }) =>
    path !== "docs/internals/phase-7.md" && !/do not edit|^Written by `/im.test(text.slice(0, 600)),
);

function broken(files: readonly SourceFile[], list: Phrases): string[] {
  return files.flatMap(({ path, text }) =>
    text
      .split("\n")
      .flatMap((line, at) =>
        list
          .filter(([phrase]) => phrase.test(line))
          .map(([, instead]) => `${path}:${at + 1}: ${line.trim().slice(0, 100)} → ${instead}`),
      ),
  );
}

/** A metric's or a file's name is no sentence. */
function withoutNames(files: readonly SourceFile[]): SourceFile[] {
  return files.map(({ path, text }) => ({ path, text: text.replaceAll(/`[^`\n]*`/g, "") }));
}

describe("plain words", () => {
  it("are what the programs say", () => {
    expect(broken(withoutNames(programs), NOWHERE)).toEqual([]);
  });

  it("are what the sources say, comments and names too", () => {
    expect(sources.length).toBeGreaterThan(600);
    expect(broken(sources, NOT_IN_SOURCES)).toEqual([]);
  });

  it("are what the pages say", () => {
    expect(pages.length).toBeGreaterThan(10);
    expect(broken(withoutNames(pages), [...NOWHERE, ...NOT_IN_PAGES])).toEqual([]);
  });

  it("that are not would be noticed", () => {
    const page = { path: "x.md", text: "Three things need a hand.\n`sluice_paths_mended_total` counts." };
    expect(broken(withoutNames([page]), [...NOWHERE, ...NOT_IN_PAGES])).toEqual([
      "x.md:1: Three things need a hand. → needs attention",
    ]);
    const source = {
      path: "x.ts",
      text: "/** The worker is told `later`. */\nconst mended = 1; // tell that",
    };
    expect(broken([source], NOT_IN_SOURCES)).toEqual([
      "x.ts:1: /** The worker is told `later`. */ → notified, reported, logged",
      "x.ts:2: const mended = 1; // tell that → distinguishes, reports, shows",
      "x.ts:2: const mended = 1; // tell that → repairs, corrects",
    ]);
  });
});
