/** What the person on call must see in five seconds: is data safe, is it getting worse, what needs attention. */
import type { Index } from "@sluice/core/stream/state";
import { uploadAge } from "@sluice/core/stream/upload-age";
import type { WorkerListing } from "@sluice/redis-schema/worker-registry";
import type { Hub } from "../hub.ts";
import { filterClock } from "../read-model/list-page.ts";
import {
  isStalled,
  tailBytes,
  indexOfRow,
  isSuperseded,
  lagBytes,
  lastActivityAt,
  startedAt,
  type StreamRow,
} from "@sluice/control/stream-row";
import { needsAttention, type Attention } from "./attention.ts";
import { chartOf, rateNow, type ChartPoint } from "./throughput.ts";

export interface Overview {
  at: number;
  /** Bytes on disk that are not in S3, of live streams. */
  lag_bytes: number;
  /** When the oldest of them was written, ms since 1970. */
  oldest_unshipped_at?: number;
  /** Bytes a second, in and out, over the last minute or two. */
  rate_in: number;
  rate_out: number;
  /** Bytes of tails, inside the lag: less than a part each, so they exist on local disk only until the seal. */
  tail_bytes: number;
  counts: Record<Index, number> & { stalled: number; superseded: number; reopened: number };
  completed_24h: number;
  workers: { alive: number; blocked: number; draining: number; gone: number };
  attention: Attention[];
  chart: ChartPoint[];
  /** The streams are still being read: sums are not whole yet. */
  filling: boolean;
}

export async function overviewOf(hub: Hub): Promise<Overview> {
  const [minutes, listings, counts] = await Promise.all([
    hub.minutes.day(),
    hub.workers.list(),
    hub.reader.counts(),
  ]);
  const seen = lookAtRows(hub, livingWorkers(listings));
  const oldest = oldestUnshipped(listings, seen.oldestUnowned);
  return {
    at: Date.now(),
    lag_bytes: seen.lag,
    tail_bytes: seen.tail,
    ...(oldest === undefined ? {} : { oldest_unshipped_at: oldest }),
    ...rateNow(minutes, Date.now()),
    counts: {
      ...counts,
      failed: counts.failed - seen.superseded,
      stalled: seen.stalled,
      superseded: seen.superseded,
      reopened: seen.reopened.length,
    },
    completed_24h: minutes.reduce((sum, minute) => sum + minute.all.completed, 0),
    workers: workerCounts(listings),
    attention: await needsAttention(hub, { listings, ...seen }),
    chart: chartOf(minutes),
    filling: !hub.model.filled,
  };
}

export interface SeenRows {
  lag: number;
  tail: number;
  stalled: number;
  superseded: number;
  /** Streams that replaced their own earlier object. */
  reopened: StreamRow[];
  /** Begun within the last day, under the third or a later name that their path got within a day. */
  renamed: StreamRow[];
  failed: StreamRow[];
  tidyErrors: number;
  nearPartLimit: number;
  /** Their store aborts the upload before long, or before it can be complete. */
  nearAbort: StreamRow[];
  /** Live streams without a living owner. */
  unowned: number;
  /** When the oldest of their unshipped bytes was last seen growing. */
  oldestUnowned?: number;
}

const DAY_MS = 86_400_000;

/** Parts from which a stream comes near the 10,000 that S3 takes. */
const NEAR_PART_LIMIT = 9_000;

function lookAtRows(hub: Hub, living: ReadonlySet<string>): SeenRows {
  const clock = filterClock(hub);
  const seen: SeenRows = {
    lag: 0,
    tail: 0,
    stalled: 0,
    superseded: 0,
    reopened: [],
    renamed: [],
    failed: [],
    tidyErrors: 0,
    nearPartLimit: 0,
    nearAbort: [],
    unowned: 0,
  };
  for (const row of hub.model.rows.values()) {
    if (row.tidy_error !== undefined) seen.tidyErrors += 1;
    if (row.supersedes !== undefined && row.index !== "failed") seen.reopened.push(row);
    if (row.name_number !== undefined && clock.now - (startedAt(row) ?? 0) < DAY_MS) seen.renamed.push(row);
    const index = indexOfRow(row);
    if (index === "failed") {
      if (isSuperseded(row)) seen.superseded += 1;
      else seen.failed.push(row);
    } else if (index !== "completed") addLive(seen, row, living, clock);
  }
  return seen;
}

function addLive(
  seen: SeenRows,
  row: StreamRow,
  living: ReadonlySet<string>,
  clock: ReturnType<typeof filterClock>,
): void {
  const lag = lagBytes(row);
  const stalled = isStalled(row, clock.now, clock.stallAfterMs);
  seen.lag += lag;
  seen.tail += tailBytes(row);
  if (stalled) seen.stalled += 1;
  if ((row.next_part ?? 1) > NEAR_PART_LIMIT) seen.nearPartLimit += 1;
  if ((uploadAge(row, clock.now)?.outlook ?? "ample") !== "ample") seen.nearAbort.push(row);
  if (row.owner !== undefined && living.has(row.owner)) return;
  seen.unowned += 1;
  const at = lastActivityAt(row);
  if (lag > 0 && at !== undefined) seen.oldestUnowned = Math.min(seen.oldestUnowned ?? at, at);
}

export function livingWorkers(listings: readonly WorkerListing[]): Set<string> {
  return new Set(listings.filter((listing) => listing.lease.kind === "ok").map((listing) => listing.id));
}

function oldestUnshipped(
  listings: readonly WorkerListing[],
  unowned: number | undefined,
): number | undefined {
  const times = listings.flatMap(({ lease }) =>
    lease.kind === "ok" && lease.value.oldest_unshipped_at_utc !== undefined
      ? [Date.parse(lease.value.oldest_unshipped_at_utc)]
      : [],
  );
  if (unowned !== undefined) times.push(unowned);
  return times.length === 0 ? undefined : Math.min(...times);
}

function workerCounts(listings: readonly WorkerListing[]): Overview["workers"] {
  const counts = { alive: 0, blocked: 0, draining: 0, gone: 0 };
  for (const { lease } of listings) {
    if (lease.kind !== "ok") counts.gone += 1;
    else {
      counts.alive += 1;
      if (lease.value.state !== "ok") counts[lease.value.state] += 1;
    }
  }
  return counts;
}
