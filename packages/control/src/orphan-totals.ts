/** What orphaned uploads hold and cost, by owner, and which of our own may be deleted. */
import type { Orphan, Verdict } from "@sluice/redis-schema/records/upload-entries";

/** What a GiB costs in a month. */
export interface StoragePrice {
  amount: number;
  currency: string;
}

export interface OrphanTotals {
  uploads: number;
  /** Of those whose parts were listed. */
  bytes: number;
  /** Uploads whose bytes are not known, so the sums are at least what they say. */
  unlisted: number;
  /** Per month; absent without a price. */
  cost?: number;
}

/** In ms since 1970. If the store does not report when an upload began, the time at which it was first seen counts. */
export function orphanBegan({ initiated_at_utc, first_seen_at_utc }: Orphan): number {
  return Date.parse(initiated_at_utc ?? first_seen_at_utc);
}

/** Since when, or from when on, it is offered for clean-up (SLUICE_ORPHAN_AGE), ms since 1970; undefined: it is not ours. */
export function deletableFrom(orphan: Orphan, orphanAgeMs: number): number | undefined {
  return orphan.verdict === "ours" ? orphanBegan(orphan) + orphanAgeMs : undefined;
}

/** Our own that are older than SLUICE_ORPHAN_AGE at `nowMs` (ms since 1970). */
export function deletable(orphans: readonly Orphan[], orphanAgeMs: number, nowMs: number): Orphan[] {
  return orphans.filter((orphan) => (deletableFrom(orphan, orphanAgeMs) ?? Infinity) <= nowMs);
}

const GIB = 1024 ** 3;

/** Uploads and bytes together, and what they cost in a month at `price`; uploads whose parts no scan has listed count no bytes. */
export function totalsOf(orphans: readonly Orphan[], price: StoragePrice | undefined): OrphanTotals {
  const bytes = orphans.reduce((sum, orphan) => sum + (orphan.bytes ?? 0), 0);
  return {
    uploads: orphans.length,
    bytes,
    unlisted: orphans.filter((orphan) => orphan.bytes === undefined).length,
    ...(price === undefined ? {} : { cost: (bytes / GIB) * price.amount }),
  };
}

/** Of verdicts that occur, in the order given. */
export function totalsByVerdict(
  orphans: readonly Orphan[],
  order: readonly Verdict[],
  price: StoragePrice | undefined,
): { verdict: Verdict; totals: OrphanTotals }[] {
  return order
    .map((verdict) => ({
      verdict,
      totals: totalsOf(
        orphans.filter((orphan) => orphan.verdict === verdict),
        price,
      ),
    }))
    .filter(({ totals }) => totals.uploads > 0);
}

/** "12.40 USD", "less than 0.01 USD" */
export function costWords(cost: number, currency: string): string {
  if (cost > 0 && cost < 0.01) return `less than 0.01 ${currency}`;
  return `${cost.toFixed(2)} ${currency}`;
}
