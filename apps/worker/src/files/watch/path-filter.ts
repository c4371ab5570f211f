/**
 * Which files of a watch are streams. Markers and our own temporary files never are; hidden files, and files left
 * behind by editors, NFS and fsck, only if a pattern of SLUICE_INCLUDE names them explicitly, not if a `*` happens to
 * match.
 */
import { MARKER_SUFFIX, TemporaryNames, displayPath, type FileFacts } from "@sluice/core";
import picomatch from "picomatch";
import { isTidyPath } from "../tidy/tidy-name.ts";

export interface FilterRules {
  include: readonly string[];
  exclude: readonly string[];
  ignoreOlderThanMs?: number | undefined;
  tempSuffixes?: readonly string[];
}

export type Refusal = "hidden" | "leftover" | "marker" | "own" | "not_included" | "excluded" | "too_old";

export interface PathFilter {
  /** Undefined: the file is a stream. */
  refuse(path: string, facts: Pick<FileFacts, "mtimeNs">, nowMs: number): Refusal | undefined;
  /** Whether a directory of this name is walked at all. */
  enters(name: string): boolean;
}

/** A file below the watch, as patterns see it. */
interface Candidate {
  relative: string;
  name: string;
  inHiddenDirectory: boolean;
}

interface Pattern {
  text: string;
  matches(file: Candidate): boolean;
}

/**
 * Files that are ignored unless a pattern names them: how to recognize them, and the text that a pattern must contain.
 */
const UNUSUAL: readonly { refusal: Refusal; is(file: Candidate): boolean; named: RegExp }[] = [
  { refusal: "own", is: ({ name }) => name.startsWith(".sluice"), named: /\.sluice/ },
  { refusal: "leftover", is: ({ name }) => name.endsWith("~"), named: /~/ },
  { refusal: "leftover", is: ({ name }) => name.endsWith(".swp"), named: /swp/ },
  { refusal: "leftover", is: ({ name }) => name.startsWith(".nfs"), named: /\.nfs/ },
  {
    refusal: "leftover",
    is: ({ relative }) => /(^|\/)lost\+found(\/|$)/.test(relative),
    named: /lost\\?\+found/,
  },
  {
    refusal: "hidden",
    is: ({ name, inHiddenDirectory }) => name.startsWith(".") || inHiddenDirectory,
    named: /(^|\/|\{|,)\\?\./,
  },
];

export function pathFilter(root: string, rules: FilterRules): PathFilter {
  const include = rules.include.map((text) => pattern(text, false));
  const exclude = rules.exclude.map((text) => pattern(text, true));
  const temporaryNames = new TemporaryNames(rules.tempSuffixes ?? []);
  const below = root === "/" ? 1 : root.length + 1;
  const names = (word: RegExp): boolean => include.some(({ text }) => word.test(text));
  const [entersHidden, entersLostFound] = [names(/(^|\/|\{|,)\\?\./), names(/lost\\?\+found/)];
  return {
    refuse(path, facts, nowMs) {
      const relative = path.slice(below);
      const file = candidate(displayPath(relative));
      const final = temporaryNames.finalOf(relative);
      // Patterns may match the final name or the temporary one: both count.
      const names = final === relative ? [file] : [file, candidate(displayPath(final))];
      const matches = (one: Pattern): boolean => names.some((name) => one.matches(name));
      if (file.name.endsWith(MARKER_SUFFIX)) return "marker";
      if (isTidyPath(file.relative)) return "own";
      if (exclude.some(matches)) return "excluded";
      const matching = include.filter(matches);
      for (const { refusal, is, named } of UNUSUAL) {
        if (is(file) && !matching.some(({ text }) => named.test(text))) return refusal;
      }
      if (include.length > 0 && matching.length === 0) return "not_included";
      return isTooOld(facts, rules.ignoreOlderThanMs, nowMs) ? "too_old" : undefined;
    },
    enters(name) {
      if (name === "lost+found") return entersLostFound;
      return !name.startsWith(".") || (entersHidden && !isTidyPath(name));
    },
  };
}

function candidate(relative: string): Candidate {
  const slash = relative.lastIndexOf("/");
  return {
    relative,
    name: relative.slice(slash + 1),
    inHiddenDirectory: slash > 0 && (relative.startsWith(".") || relative.slice(0, slash).includes("/.")),
  };
}

/** A pattern without a slash is matched against the name, one with a slash against the path below the watch. */
function pattern(written: string, dot: boolean): Pattern {
  const text = written.replace(/^\.?\//, "");
  const matches = picomatch(text, { dot });
  if (written.includes("/")) return { text, matches: ({ relative }) => matches(relative) };
  // A pattern without a slash does not match inside hidden directories.
  return { text, matches: ({ name, inHiddenDirectory }) => (dot || !inHiddenDirectory) && matches(name) };
}

function isTooOld(facts: Pick<FileFacts, "mtimeNs">, limitMs: number | undefined, nowMs: number): boolean {
  return limitMs !== undefined && nowMs - Number(BigInt(facts.mtimeNs) / 1_000_000n) > limitMs;
}
