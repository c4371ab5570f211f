/** The page about states says what the code does. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { LOOPS, NO_RETRIES } from "../scripts/retry-loops.ts";
import { stateDiagram, stateDocs } from "../scripts/state-docs.ts";

const root = new URL("../../../", import.meta.url);

test("docs/reference/state-machine.md is what the table of moves says", () => {
  expect(readFileSync(new URL("docs/reference/state-machine.md", root), "utf8")).toBe(stateDocs());
});

test("the README shows the same diagram", () => {
  expect(readFileSync(new URL("README.md", root), "utf8")).toContain(stateDiagram());
});

test.each(LOOPS)(
  "the loop '$name' stands where the register says, and its test is there",
  ({ where, proves }) => {
    expect(existsSync(new URL(where, root)), where).toBe(true);
    if (proves) expect(readFileSync(new URL(proves[0], root), "utf8")).toContain(proves[1]);
  },
);

/** What a loop that tries again looks like. */
const LOOKS_LIKE_ONE =
  /for \(;;\)|for \(let (?:attempt|mismatches)|backoffMs\(|await repeat\(|#every\(|setInterval\(|[rR]etryStrategy|while \(!signal\.aborted/;

test("every loop that tries again is in the register, and nothing is excused that has none", () => {
  const sources = globSync(
    "{apps/worker,packages/core,packages/redis-schema,packages/s3-store}/src/**/*.ts",
    {
      cwd: root.pathname,
    },
  )
    .filter((path) => !/\.test\.ts$|\/testing\//.test(path))
    .filter((path) => LOOKS_LIKE_ONE.test(readFileSync(new URL(path, root), "utf8")));
  const known = new Set([...LOOPS.map(({ where }) => where), ...Object.keys(NO_RETRIES)]);
  expect(sources.filter((path) => !known.has(path))).toEqual([]);
  expect(Object.keys(NO_RETRIES).filter((path) => !sources.includes(path))).toEqual([]);
});
