import { expect, test } from "vitest";
import { STORES } from "../stores.ts";
import { readKept } from "./kept.ts";
import { readPage, writtenPage } from "./page.ts";

test("docs/reference/stores.md says what each store answered when it was run last", () => {
  const page = readPage();
  expect(page).toBe(writtenPage(page));
});

test("every store has its answers, of a run without a failed test", () => {
  for (const { file } of STORES) expect(readKept(file)?.tests, file).toMatchObject({ failed: 0 });
});
