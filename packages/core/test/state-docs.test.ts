/** The page about states says what the code does. */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { LOOPS } from "../scripts/retry-loops.ts";
import { stateDiagram, stateDocs } from "../scripts/state-docs.ts";

const root = new URL("../../../", import.meta.url);

test("docs/state-machine.md is what the table of moves says", () => {
  expect(readFileSync(new URL("docs/state-machine.md", root), "utf8")).toBe(stateDocs());
});

test("the README shows the same diagram", () => {
  expect(readFileSync(new URL("README.md", root), "utf8")).toContain(stateDiagram());
});

test.each(LOOPS)(
  "the loop '$name' stands where the register says, and so does its test",
  ({ where, test: proof }) => {
    expect(existsSync(new URL(where, root)), where).toBe(true);
    expect(existsSync(new URL(proof, root)), proof).toBe(true);
  },
);
