import type { Index } from "@sluice/core/stream/state";
import fc from "fast-check";
import { expect, test } from "vitest";
import { newestFirst } from "./newest-first.ts";

/** Indexes that hold the given scores, read by pages as the reader does. */
function readerOf(scores: Record<string, readonly number[]>) {
  const page = async (index: Index, { limit, cursor }: { limit: number; cursor?: string }) => {
    const sorted = (scores[index] ?? []).toSorted((a, b) => b - a);
    const from = Number(cursor ?? 0);
    const rows = sorted.slice(from, from + limit).map((score, at) => ({
      id: `${index}-${from + at}`,
      status: "completed",
      kind: "completed" as const,
      index,
      score,
    }));
    const next = from + limit;
    return Promise.resolve(next < sorted.length ? { rows, next: String(next) } : { rows });
  };
  return { reader: { page } };
}

test("the newest of all indexes come in order, however they are spread over them", async () => {
  const scores = fc.array(fc.nat(500), { maxLength: 90 });
  await fc.assert(
    fc.asyncProperty(scores, scores, fc.integer({ min: 1, max: 120 }), async (active, failed, limit) => {
      const rows = await newestFirst(readerOf({ active, failed }), ["active", "failed"], limit, () => true);
      const expected = [...active, ...failed].toSorted((a, b) => b - a).slice(0, limit);
      expect(rows.map((row) => row.score)).toEqual(expected);
      expect(new Set(rows.map((row) => row.id)).size).toBe(rows.length);
    }),
  );
});

test("what is not wanted is passed over, not counted", async () => {
  const rows = await newestFirst(
    readerOf({ failed: [1, 2, 3, 4] }),
    ["failed"],
    2,
    (row) => (row.score ?? 0) % 2 === 1,
  );
  expect(rows.map((row) => row.score)).toEqual([3, 1]);
});
