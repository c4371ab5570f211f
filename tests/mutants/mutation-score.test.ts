import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { scorePage, trimReport, type Report } from "./mutation-score.ts";

const root = join(import.meta.dirname, "../..");
const source = "const a = 1;\nif (x || `y`)\n{\n  go();\n}\n";
const places = {
  line: { start: { line: 1, column: 11 }, end: { line: 1, column: 12 } },
  condition: { start: { line: 2, column: 5 }, end: { line: 2, column: 13 } },
  block: { start: { line: 3, column: 1 }, end: { line: 5, column: 2 } },
};
const mutant = (status: string, location = places.line, replacement = "0") => ({
  status,
  mutatorName: "Mutator",
  replacement,
  location,
});

const files = trimReport({
  files: {
    "src/b.ts": {
      source,
      mutants: [
        mutant("NoCoverage", places.block, "{}"),
        mutant("Survived", places.condition, "x && `y`"),
        ...["Killed", "Timeout", "RuntimeError", "Ignored"].map((status) => mutant(status)),
      ],
    },
    "src/a.ts": { source, mutants: [mutant("Killed")] },
    "src/none.ts": { source, mutants: [mutant("Ignored")] },
  },
});

it("a change that no test reaches counts against the score, one that cannot run counts for nothing", () => {
  expect(files).toMatchObject({
    "src/a.ts": { killed: 1, timeout: 0, survivors: [] },
    "src/b.ts": { killed: 1, timeout: 1, survivors: [{ from: "x || `y`" }, { from: "{ go(); }", to: "{}" }] },
  });
  const page = scorePage({ date: "2026-01-01", commit: "abc", files });
  expect(page).toContain("| **all** | 5 | 2 | 1 | 1 | 1 | 60.0 % |");
  expect(page).toContain("| 2 | Mutator | `` x \\|\\| `y` `` | `` x && `y` `` |");
  expect(page).toContain("| 3 | Mutator, no coverage | `{ go(); }` | `{}` |");
});

it("the page says what the raw report says", () => {
  const report = JSON.parse(readFileSync(join(root, "tests/mutants/mutation.json"), "utf8")) as Report;
  expect(readFileSync(join(root, "docs/internals/mutation-score.md"), "utf8")).toBe(scorePage(report));
});
