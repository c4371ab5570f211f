import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { withQuestions } from "../scripts/questions-page.ts";
import { QUESTIONS } from "./probe.ts";
import { askAll, type Question } from "./probe-question.ts";
import type { S3Profile } from "./profiles.ts";

/** How each field of the profile comes about; a field that is added has to be listed here. */
const FIELDS: Readonly<Record<keyof S3Profile, "asked" | "by name alone">> = {
  store: "asked",
  checksum: "asked",
  unsignedPayload: "asked",
  checksumsInComplete: "asked",
  repeatComplete: "asked",
  conditionalComplete: "asked",
  ifMatchOnComplete: "asked",
  conditionalPut: "asked",
  listPartsEndsWithComplete: "asked",
  listPartsEndsWithAbort: "asked",
  etagIsMd5: "asked",
  listsUploadsByPrefix: "asked",
  headMissingIs404: "asked",
  unequalParts: "asked",
  copiesRanges: "asked",
  uploadAgeDays: "asked",
  objectSizeInComplete: "asked",
  bareEtagInConditions: "asked",
  wrongChecksumCodes: "asked",
  maxParts: "by name alone",
  maxObjectBytes: "by name alone",
  replacedParts: "by name alone",
};

describe("the questions of the probe", () => {
  test("each have a name of their own and say what is asked and how the answer is read", () => {
    expect(new Set(QUESTIONS.map(({ name }) => name)).size).toBe(QUESTIONS.length);
    for (const { name, asks, reads } of QUESTIONS) {
      expect(name).toMatch(/\?$/);
      expect(`${asks}${reads}`).not.toContain("|");
    }
  });

  test.each(Object.entries(FIELDS))("decide %s, where it is %s", (field, how) => {
    const decided = QUESTIONS.some(({ decides }) => decides.some((one) => one === field));
    expect(decided).toBe(how === "asked");
  });

  test("are those of docs/reference/stores.md (pnpm --filter @sluice/s3-store run docs:questions)", () => {
    const page = readFileSync(new URL("../../../docs/reference/stores.md", import.meta.url), "utf8");
    expect(page).toBe(withQuestions(page));
  });
});

test("a question sees what those before it found, and where it finds nothing the cautious choice stays", async () => {
  const row = (ask: Question<number, { a: number; b: number }>["ask"]) => ({
    name: "?",
    asks: "",
    reads: "",
    decides: [],
    ask,
  });
  const questions = [row((scene) => ({ a: scene })), row((_scene, { a }) => ({ a: a + 1 })), row(() => ({}))];
  expect(await askAll(questions, 5, { a: 0, b: 7 })).toEqual({ a: 6, b: 7 });
});
