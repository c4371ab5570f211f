import type { Orphan } from "@sluice/redis-schema";
import { expect, it } from "vitest";
import { costWords, deletable, deletableFrom, totalsByVerdict, totalsOf } from "./orphan-totals.ts";

const GIB = 1024 ** 3;
const NOW = Date.parse("2026-11-30T12:00:00Z");
const DAY = 86_400_000;

function orphan(over: Partial<Orphan> = {}): Orphan {
  return {
    s3_upload_id: "u",
    s3_bucket: "b",
    s3_key: "k",
    verdict: "ours",
    because: "",
    first_seen_at_utc: "2026-11-30T11:00:00Z",
    last_seen_at_utc: "2026-11-30T11:00:00Z",
    ...over,
  };
}

it("ours may be deleted once they are old enough, by the store's time where it has one; others never", () => {
  const old = orphan({ initiated_at_utc: "2026-11-29T12:00:00Z" });
  expect(deletableFrom(old, DAY)).toBe(NOW);
  expect(deletableFrom(orphan(), DAY)).toBe(NOW + DAY - 3_600_000);
  for (const verdict of ["only_copy", "foreign", "unknown"] as const)
    expect(deletableFrom(orphan({ verdict }), DAY)).toBeUndefined();
  expect(
    deletable(
      [orphan(), old, orphan({ verdict: "foreign", initiated_at_utc: "2020-01-01T00:00:00Z" })],
      DAY,
      NOW,
    ),
  ).toEqual([old]);
});

it("totals say what is not known, and cost what the price says", () => {
  const price = { amount: 0.02, currency: "USD" };
  expect(totalsOf([orphan({ bytes: 50 * GIB }), orphan()], price)).toEqual({
    uploads: 2,
    bytes: 50 * GIB,
    unlisted: 1,
    cost: 1,
  });
  expect(totalsOf([], undefined)).toEqual({ uploads: 0, bytes: 0, unlisted: 0 });
  const mixed = [orphan({ verdict: "foreign" }), orphan()];
  expect(
    totalsByVerdict(mixed, ["only_copy", "ours", "foreign"], undefined).map(({ verdict }) => verdict),
  ).toEqual(["ours", "foreign"]);
});

it("a cost that is not nothing never reads as nothing", () => {
  expect([0, 0.001, 12.345].map((cost) => costWords(cost, "EUR"))).toEqual([
    "0.00 EUR",
    "less than 0.01 EUR",
    "12.35 EUR",
  ]);
});
