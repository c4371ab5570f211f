/** Every stream starts running through one function, which is given the reason. */
import { describe, expect, it } from "vitest";
import { withoutComments, type Violation } from "./rules.ts";
import { filesMatching, isTest, type SourceFile } from "./sources.ts";

const POOL = "apps/worker/src/streams/processor-pool.ts";
/** What makes a processor. */
const MAKES = /\bStreamProcessor\s*\.\s*(?:begin|initializeFromCheckpoint)\b/g;
const STARTS = /\bpool\.start\(\{\s*because: ?"(\w+)"|\bpool\.start\(\{\s*because: (because\.kind)\b/g;

function made(files: readonly SourceFile[]): Violation[] {
  return files
    .filter(({ path }) => !isTest(path) && path !== POOL)
    .filter(({ text }) => withoutComments(text).match(MAKES))
    .map(({ path }) => `${path}: makes a processor; pool.start is the one way in`);
}

const programs = filesMatching("apps/*/src/**/*.{ts,tsx}");

describe("a stream starts running", () => {
  it("in processor-pool.ts alone, in one function", () => {
    expect(made(programs)).toEqual([]);
    const pool = withoutComments(programs.find(({ path }) => path === POOL)?.text ?? "");
    const start = pool.slice(pool.indexOf("  start({"), pool.indexOf("\n  }", pool.indexOf("  start({")));
    expect(pool.match(MAKES)).toHaveLength(2);
    expect(start.match(MAKES)).toHaveLength(2);
  });

  it("with a reason that is said where it is started", () => {
    const reasons = programs
      .filter(({ path }) => !isTest(path))
      .flatMap(({ text }) => [...text.matchAll(STARTS)].map(([, word, kind]) => word ?? kind ?? ""));
    expect(reasons.toSorted()).toEqual(["adopted", "because.kind", "found", "resumed", "successor"]);
  });

  it("nowhere else without being noticed", () => {
    const text = "const p = StreamProcessor.begin(record, rules, deps, stop);";
    expect(made([{ path: "apps/worker/src/takeover/x.ts", text }])).toHaveLength(1);
    expect(made([{ path: "apps/worker/src/takeover/x.ts", text: `// ${text}` }])).toEqual([]);
  });
});
