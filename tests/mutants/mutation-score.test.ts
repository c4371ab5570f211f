import { expect, it } from "vitest";
import { readScores, scorePage } from "./mutation-score.ts";

it("a change that no test reaches counts against the score, one that cannot run counts for nothing", () => {
  const of = (...statuses: string[]) => ({ mutants: statuses.map((status) => ({ status })) });
  const scores = readScores({
    files: {
      "src/b.ts": of("Killed", "Timeout", "Survived", "NoCoverage", "RuntimeError", "Ignored"),
      "src/a.ts": of("Killed"),
      "src/none.ts": of("Ignored"),
    },
  });
  expect(scores).toEqual([
    { file: "src/a.ts", noticed: 1, unnoticed: 0 },
    { file: "src/b.ts", noticed: 2, unnoticed: 2 },
  ]);
  expect(scorePage(scores)).toContain("| **all** | 5 | 3 | 60.0 % |");
});
