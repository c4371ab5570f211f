/** Every row of the catalogue is proved or declined, and the page says so. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DECLINED, MOST_DECLINED } from "../chaos/report/declined.ts";
import { catalogueOf, collect, matrixPage, numbersOf } from "../chaos/report/matrix.ts";

const root = join(import.meta.dirname, "../..");

describe("the reliability matrix", () => {
  const proofs = collect(root);
  const numbers = Object.keys(catalogueOf(root));

  it("has a test or a reason for every row", () => {
    expect(numbers.filter((number) => !proofs.has(number) && !(number in DECLINED))).toEqual([]);
  });

  it("declines few rows, none that a test proves, and none that is not there", () => {
    const declined = Object.keys(DECLINED);
    expect(declined.length).toBeLessThanOrEqual(MOST_DECLINED);
    expect(declined.filter((number) => proofs.has(number) || !numbers.includes(number))).toEqual([]);
  });

  it("has no test with a number that the catalogue does not have", () => {
    expect([...proofs.keys()].filter((number) => !numbers.includes(number))).toEqual([]);
  });

  it("stands in docs/internals/reliability-matrix.md as the titles are now (pnpm run docs:matrix)", () => {
    expect(readFileSync(join(root, "docs/internals/reliability-matrix.md"), "utf8")).toBe(matrixPage(root));
  });
});

it.each([
  ["S1, P11: claims both", ["S1", "P11"]],
  ["S12 S13 claims both too", ["S12", "S13"]],
  ["C15b claims its row", ["C15"]],
  ["D1a, D7b: claim two rows of their letters", ["D1a", "D7b"]],
  ["S3 answers once: the store, not a row", []],
  ["outgrows the largest object (S2, S3)", ["S2", "S3"]],
])("%s", (title, expected) => {
  expect([...numbersOf(title)]).toEqual(expected);
});
