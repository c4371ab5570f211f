/** The floors of packages/core: a file may import its own floor and the floors below it, never one above. */
import { posix } from "node:path";
import type { Violation } from "./rules.ts";
import { isTest, type SourceFile } from "./sources.ts";

const CORE = "packages/core/src/";

interface Floor {
  name: string;
  holds: string;
  /** Folders end in a slash; the rest are files of the root. */
  paths: readonly string[];
}

/** From the top to the ground. */
export const FLOORS: readonly Floor[] = [
  { name: "testing", holds: "memory adapters, conformance suites, crash points", paths: ["testing/"] },
  { name: "index", holds: "the public names", paths: ["index.ts"] },
  { name: "steps", holds: "what a stream does next: grow, seal, describe, supersede", paths: ["steps/"] },
  { name: "object", holds: "one S3 object: key, parts, checksums, compare, extend", paths: ["object/"] },
  { name: "flow", holds: "what all streams share: lane, gate, patience, clock, owner", paths: ["flow/"] },
  { name: "ports", holds: "the world outside, as interfaces; its errors", paths: ["ports/", "errors.ts"] },
  { name: "stream", holds: "tables: states, fields, failures, part plan, identity", paths: ["stream/"] },
  { name: "ground", holds: "limits, assertions", paths: ["assert.ts", "failpoints.ts", "limits.ts"] },
];

/** 0 is the top; undefined: the file stands on no floor. */
function floorOf(path: string): number | undefined {
  const inside = path.slice(CORE.length);
  const at = FLOORS.findIndex(({ paths }) =>
    paths.some((each) => (each.endsWith("/") ? inside.startsWith(each) : inside === each)),
  );
  return path.startsWith(CORE) && at >= 0 ? at : undefined;
}

interface Import {
  from: string;
  to: string;
}

function ofCore(files: readonly SourceFile[]): SourceFile[] {
  return files.filter(({ path }) => path.startsWith(CORE) && !isTest(path));
}

/** Also what is imported for its type alone: a type is knowledge too. */
function importsOf(files: readonly SourceFile[]): Import[] {
  return ofCore(files).flatMap(({ path, text }) =>
    [...text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(([, specifier = ""]) => ({
      from: path,
      to: posix.join(posix.dirname(path), specifier),
    })),
  );
}

export function importsUpwards(files: readonly SourceFile[]): Violation[] {
  const lost = ofCore(files)
    .filter(({ path }) => floorOf(path) === undefined)
    .map(({ path }) => `${path}: stands on no floor`);
  const upwards = importsOf(files).flatMap(({ from, to }) => {
    const [lower, upper] = [floorOf(from), floorOf(to)];
    if (lower === undefined || upper === undefined || upper >= lower) return [];
    return [`${from} (${FLOORS[lower]?.name}): imports ${to} from above (${FLOORS[upper]?.name})`];
  });
  return [...lost, ...upwards];
}

/** Files of one floor that need each other are one idea in two files. The test worker and its world are left alone. */
export function importCycles(files: readonly SourceFile[]): Violation[] {
  const targets = new Map<string, string[]>();
  for (const { from, to } of importsOf(files)) {
    if (FLOORS[floorOf(from) ?? 0]?.name === "testing") continue;
    targets.set(from, [...(targets.get(from) ?? []), to]);
  }
  const done = new Set<string>();
  const found: Violation[] = [];
  const walk = (path: string, way: readonly string[]): void => {
    const at = way.indexOf(path);
    if (at >= 0) found.push([...way.slice(at), path].join(" -> "));
    if (at >= 0 || done.has(path)) return;
    for (const target of targets.get(path) ?? []) walk(target, [...way, path]);
    done.add(path);
  };
  for (const path of targets.keys()) walk(path, []);
  return found;
}

/** For docs/internals/architecture.md: the floors from the top down, each with the floors it imports. */
export function drawFloors(files: readonly SourceFile[]): string {
  const arrows = FLOORS.map(() => new Set<number>());
  for (const { from, to } of importsOf(files)) {
    const [upper, lower] = [floorOf(from), floorOf(to)];
    if (upper !== undefined && lower !== undefined && upper !== lower) arrows[upper]?.add(lower);
  }
  const rows = FLOORS.map(({ name, holds }, at) => {
    const below = FLOORS.filter((_, lower) => arrows[at]?.has(lower)).map((floor) => floor.name);
    return `${name.padEnd(8)} ${holds.padEnd(60)} -> ${below.join(", ") || "nothing"}`;
  });
  return ["```", ...rows, "```"].join("\n");
}
