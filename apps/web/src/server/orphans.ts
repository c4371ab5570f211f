/** Open uploads that no stream owns, and those a purge left for a worker, with what is known about each. */
import {
  deletable,
  deletableFrom,
  orphanBegan,
  totalsByVerdict,
  totalsOf,
  type OrphanTotals,
} from "@sluice/control/orphan-totals";
import type { Orphan, UploadToAbort, Verdict } from "@sluice/redis-schema/records/upload-entries";
import type { Hub } from "./hub.ts";

export interface OrphansView {
  orphans: (Orphan & { deletable_from?: number })[];
  /** Of verdicts that occur. */
  totals: { verdict: Verdict; totals: OrphanTotals }[];
  /** Our own that may be deleted now. */
  deletable: OrphanTotals;
  /** Of the costs; absent without SLUICE_WEB_STORAGE_PRICE. */
  currency?: string;
  /** Left by a purge: a worker aborts them. */
  to_abort: UploadToAbort[];
  /** When a scan last wrote something, ms since 1970. */
  scanned_at?: number;
}

/** Uploads that can be cleaned up come first, the oldest on top. */
const ORDER: readonly Orphan["verdict"][] = ["only_copy", "ours", "unknown", "foreign"];

export async function orphansView(hub: Hub): Promise<OrphansView> {
  const { storagePrice: price, orphanAgeMs } = hub.settings;
  const [orphans, toAbort] = await Promise.all([hub.orphans.orphans(), hub.orphans.toAbort()]);
  const scans = orphans.map((orphan) => Date.parse(orphan.last_seen_at_utc));
  const sorted = orphans.sort(
    (a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict) || orphanBegan(a) - orphanBegan(b),
  );
  return {
    orphans: sorted.map((orphan) => {
      const from = deletableFrom(orphan, orphanAgeMs);
      return from === undefined ? orphan : { ...orphan, deletable_from: from };
    }),
    totals: totalsByVerdict(orphans, ORDER, price),
    deletable: totalsOf(deletable(orphans, orphanAgeMs, Date.now()), price),
    ...(price === undefined ? {} : { currency: price.currency }),
    to_abort: toAbort,
    ...(scans.length === 0 ? {} : { scanned_at: scans.reduce((a, b) => Math.max(a, b)) }),
  };
}

/** Our orphans that may be deleted now; for the overview and the badge of every page. */
export async function deletableOrphans(hub: Hub): Promise<OrphanTotals> {
  const { storagePrice: price, orphanAgeMs } = hub.settings;
  return totalsOf(deletable(await hub.orphans.orphans(), orphanAgeMs, Date.now()), price);
}
