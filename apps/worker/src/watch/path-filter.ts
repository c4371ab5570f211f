/**
 * Which files of a watch are streams. Hidden files, editors' leftovers, markers and our own temporary names never are,
 * unless a pattern of SLUICE_INCLUDE names them.
 */
import { MARKER_SUFFIX, displayPath, type FileFacts } from "@sluice/core";
import picomatch from "picomatch";

export interface FilterRules {
  include: readonly string[];
  exclude: readonly string[];
  ignoreOlderThanMs?: number | undefined;
}

export type Refusal = "hidden" | "leftover" | "marker" | "own" | "not_included" | "excluded" | "too_old";

export interface PathFilter {
  /** Undefined: the file is a stream. */
  refuse(path: string, facts: FileFacts, nowMs: number): Refusal | undefined;
  /** Whether a directory is walked at all. */
  enters(name: string): boolean;
}

const LEFTOVER = picomatch(["*~", "*.swp", ".nfs*", "lost+found"], { dot: true });
const OWN = ".sluice";

export function pathFilter(root: string, rules: FilterRules): PathFilter {
  const included = matcher(rules.include);
  const excluded = matcher(rules.exclude);
  const namesHidden = rules.include.some((pattern) => /(^|\/)\.[^/.]/.test(pattern));
  return {
    refuse(path, facts, nowMs) {
      const relative = displayPath(path.slice(root.length + 1));
      const name = relative.slice(relative.lastIndexOf("/") + 1);
      if (name.startsWith(OWN)) return "own";
      if (excluded?.(relative, name)) return "excluded";
      const isNamed = included?.(relative, name) === true;
      if (!isNamed) {
        const usual = refuseUsually(relative, name);
        if (usual) return usual;
        if (included) return "not_included";
      }
      return isTooOld(facts, rules.ignoreOlderThanMs, nowMs) ? "too_old" : undefined;
    },
    enters: (name) => name !== "lost+found" && !name.startsWith(OWN) && (namesHidden || !name.startsWith(".")),
  };
}

function refuseUsually(relative: string, name: string): Refusal | undefined {
  if (LEFTOVER(name)) return "leftover";
  if (relative.split("/").some((piece) => piece.startsWith("."))) return "hidden";
  // `a.mp4.done` tells of `a.mp4`; a bare `.done` was hidden above.
  return name.endsWith(MARKER_SUFFIX) ? "marker" : undefined;
}

/** A pattern without a slash is matched against the name, one with a slash against the path below the watch. */
function matcher(patterns: readonly string[]): ((relative: string, name: string) => boolean) | undefined {
  if (patterns.length === 0) return undefined;
  const byPath = picomatch(patterns.filter((pattern) => pattern.includes("/")));
  const byName = picomatch(patterns.filter((pattern) => !pattern.includes("/")));
  return (relative, name) => byPath(relative) || byName(name);
}

function isTooOld(facts: FileFacts, limitMs: number | undefined, nowMs: number): boolean {
  return limitMs !== undefined && nowMs - Number(BigInt(facts.mtimeNs) / 1_000_000n) > limitMs;
}
