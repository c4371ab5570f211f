import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runtimeDependencies } from "./dependencies.ts";
import { REASONS } from "./reasons.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/dependencies.md"), "utf8");

test("every dependency at run time has its reason, and no reason is left over", () => {
  expect(Object.keys(REASONS).toSorted()).toEqual([...runtimeDependencies().keys()].toSorted());
});

test("there are at most 25 of them", () => {
  expect(runtimeDependencies().size).toBeLessThanOrEqual(25);
});

test("each stands in docs/dependencies.md", () => {
  for (const name of runtimeDependencies().keys()) expect(page).toContain(`| \`${name}\` |`);
});
