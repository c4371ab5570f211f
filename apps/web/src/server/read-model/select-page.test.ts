import fc from "fast-check";
import { expect, test } from "vitest";
import { SORTS, sortValue } from "../../streams/stream-filter.ts";
import type { StreamRow } from "@sluice/control/stream-row";
import { selectPage } from "./select-page.ts";

const rows = fc
  .uniqueArray(
    fc.record({
      id: fc.string({ minLength: 1, maxLength: 4 }),
      size: fc.nat(5),
      path: fc.string({ maxLength: 2 }),
    }),
    {
      selector: (row) => row.id,
      maxLength: 60,
    },
  )
  .map((list) =>
    list.map(({ id, size, path }): StreamRow => ({
      id,
      original_path: `/${path}`,
      source: "s",
      watch: "w",
      s3_bucket: "b",
      status: "processing",
      kind: "processing",
      next_part: 1,
      bytes_sent: 0,
      file_size: size,
      started_at_utc: String(size),
      last_activity_at_utc: path,
      index: "active",
      score: 0,
    })),
  );

test("pages forwards and backwards meet every matching row once, in one order", () => {
  fc.assert(
    fc.property(
      rows,
      fc.constantFrom(...SORTS),
      fc.constantFrom("asc" as const, "desc" as const),
      fc.integer({ min: 1, max: 7 }),
      (all, sort, dir, limit) => {
        const wanted = (row: StreamRow) => row.file_size !== 3;
        const whole = selectPage(all, wanted, { sort, dir, limit: 1_000 });
        const seen: string[] = [];
        let cursor: { value: string | number; id: string } | undefined;
        for (;;) {
          const page = selectPage(all, wanted, { sort, dir, limit, after: cursor });
          expect(page.total).toBe(whole.rows.length);
          expect(page.preceding).toBe(seen.length);
          const last = page.rows.at(-1);
          if (last === undefined) break;
          const first = page.rows[0];
          if (first !== undefined && seen.length > 0) {
            const back = selectPage(all, wanted, {
              sort,
              dir,
              limit,
              before: { value: sortValue(first, sort), id: first.id },
            });
            expect(back.rows.map((row) => row.id)).toEqual(seen.slice(-limit));
            expect(back.preceding).toBe(Math.max(0, seen.length - limit));
          }
          seen.push(...page.rows.map((row) => row.id));
          cursor = { value: sortValue(last, sort), id: last.id };
        }
        expect(seen).toEqual(whole.rows.map((row) => row.id));
        expect(new Set(seen).size).toBe(all.filter(wanted).length);
      },
    ),
  );
});
