/**
 * The sources and their watches: what is not protected, what failed, how fast it moves, whose workers they are. Pure: from
 * rows, leases, minutes. The verdict of a source is that of the overview, for what belongs to it.
 */
import { disksOf, type Disk } from "@sluice/control/disk-space";
import { rateNow } from "@sluice/control/rates";
import {
  indexOfRow,
  isStalled,
  isSuperseded,
  lagBytes,
  lastActivityAt,
  unprotectedBytes,
  type StreamRow,
} from "@sluice/control/stream-row";
import { parseTime } from "@sluice/control/units";
import { RiskTally, type Risk } from "@sluice/control/verdict";
import { NO_COUNTS, watchField, type Counters } from "@sluice/redis-schema/records/stats";
import type { WatchRecord } from "@sluice/redis-schema/records/watch";
import type { WorkerRecord, WorkerState } from "@sluice/redis-schema/records/worker";
import type { StatsWindow } from "@sluice/redis-schema/stats-store";
import type { WorkerListing } from "@sluice/redis-schema/worker-registry";

type Minute = StatsWindow["minutes"][number];

/** What both a source and a watch have. */
export interface Place {
  source: string;
  live: number;
  stalled: number;
  failed: number;
  /** Bytes of live streams on disk that are not in S3; what the loss of the host would lose; those of failed streams. */
  lag_bytes: number;
  unprotected_bytes: number;
  failed_bytes: number;
  /** Since when the oldest unprotected byte has existed, ms since 1970; `least`: at least since then. */
  oldest?: { at: number; least: boolean };
  /** Bytes per second over the last minute or two. */
  rate_in: number;
  rate_out: number;
  hour: Pick<Counters, "bytes_in" | "bytes_sent" | "completed" | "failures">;
}

export interface WatchView extends Place {
  watch: string;
  record?: WatchRecord;
  disk?: Disk;
}

export interface SourceView extends Place {
  risk: Risk;
  workers: { id: string; host?: string; state: WorkerState | "gone" }[];
  watches: WatchView[];
  /** The fullest of its disks. */
  disk?: Disk;
}

export interface PlaceFacts {
  rows: Iterable<StreamRow>;
  listings: readonly WorkerListing[];
  watches: readonly WatchRecord[];
  minutes: readonly Minute[];
  now: number;
  stallAfterMs: number;
}

const HOUR_MINUTES = 60;

/** Those with the most unprotected bytes first. */
export function sourcesOf(facts: PlaceFacts): SourceView[] {
  const rowsBySource = Map.groupBy(openRows(facts.rows), ({ source = "" }) => source);
  const listingsBySource = Map.groupBy(facts.listings, (listing) => reportOf(listing)?.source);
  listingsBySource.delete(undefined);
  const names = new Set([...rowsBySource.keys(), ...[...listingsBySource.keys()].map((name) => name ?? "")]);
  const disks = disksOf(facts.listings);
  return [...names]
    .map((source) =>
      sourceOf(source, facts, rowsBySource.get(source) ?? [], listingsBySource.get(source) ?? [], disks),
    )
    .sort((a, b) => b.unprotected_bytes - a.unprotected_bytes || (a.source < b.source ? -1 : 1));
}

function sourceOf(
  source: string,
  facts: PlaceFacts,
  rows: readonly StreamRow[],
  listings: readonly WorkerListing[],
  disks: readonly Disk[],
): SourceView {
  const { now, stallAfterMs } = facts;
  const watches = facts.watches.filter((watch) => watch.source === source);
  const minutes = minutesOfSource(facts.minutes, source);
  const tally = new RiskTally({ listings, nowMs: now, stallAfterMs });
  for (const row of rows) tally.add(row);
  const rates = rateNow(minutes, now);
  const risk = tally.risk(watches, rates);
  const own = disks.filter((disk) => disk.source === source);
  const byWatch = Map.groupBy(rows, ({ watch = "" }) => watch);
  const names = new Set([...tally.watches.map(({ name }) => name), ...byWatch.keys()]);
  return {
    ...placeOf(source, rows, minutes, facts),
    ...(risk.oldest === undefined ? {} : { oldest: risk.oldest }),
    risk,
    workers: listings.map((listing) => {
      const { lease } = listing;
      const host = reportOf(listing)?.host;
      const state = lease.kind === "ok" ? lease.value.state : "gone";
      return { id: listing.id, ...(host === undefined ? {} : { host }), state };
    }),
    ...(own[0] === undefined ? {} : { disk: own[0] }),
    watches: [...names].sort().map((watch) => {
      const record = watches.find(({ name }) => name === watch);
      const disk = own.find((each) => each.watch === watch);
      return {
        watch,
        ...placeOf(source, byWatch.get(watch) ?? [], minutesOfWatch(facts.minutes, source, watch), facts),
        ...(record === undefined ? {} : { record }),
        ...(disk === undefined ? {} : { disk }),
      };
    }),
  };
}

/** The age of its oldest byte is from its streams: workers only report that of all their watches together. */
function placeOf(
  source: string,
  rows: readonly StreamRow[],
  minutes: Minute[],
  { now, stallAfterMs }: PlaceFacts,
): Place {
  const live = rows.filter((row) => indexOfRow(row) !== "failed");
  const failed = rows.filter((row) => indexOfRow(row) === "failed");
  const sum = (of: readonly StreamRow[], bytes: (row: StreamRow) => number): number =>
    of.reduce((total, row) => total + bytes(row), 0);
  const since = live
    .filter((row) => unprotectedBytes(row) > 0)
    .flatMap((row) => parseTime(row.unprotected_since_utc) ?? lastActivityAt(row) ?? []);
  const hour = { bytes_in: 0, bytes_sent: 0, completed: 0, failures: 0 };
  for (const { all } of minutes.slice(-HOUR_MINUTES))
    for (const name of Object.keys(hour) as (keyof typeof hour)[]) hour[name] += all[name];
  return {
    source,
    live: live.length,
    stalled: live.filter((row) => isStalled(row, now, stallAfterMs)).length,
    failed: failed.length,
    lag_bytes: sum(live, lagBytes),
    unprotected_bytes: sum(live, unprotectedBytes),
    failed_bytes: sum(failed, lagBytes),
    ...(since.length === 0 ? {} : { oldest: { at: Math.min(...since), least: true } }),
    ...rateNow(minutes, now),
    hour,
  };
}

/** What needs somebody, or will: neither completed nor replaced by another stream. */
function openRows(rows: Iterable<StreamRow>): StreamRow[] {
  const open: StreamRow[] = [];
  for (const row of rows) {
    const index = indexOfRow(row);
    if (index !== "completed" && !(index === "failed" && isSuperseded(row))) open.push(row);
  }
  return open;
}

/** What a worker reports, or last reported. */
export function reportOf({
  lease,
}: WorkerListing): Pick<WorkerRecord, "source" | "host" | "watches"> | undefined {
  if (lease.kind === "ok") return lease.value;
  return lease.kind === "gone" ? lease.last : undefined;
}

/** The minutes of one source: what its watches counted, and what its workers reported. */
export function minutesOfSource(minutes: readonly Minute[], source: string): Minute[] {
  const prefix = watchField(source, "");
  return minutes.map((minute) => ({
    ...minute,
    all: summed(
      Object.entries(minute.byWatch).flatMap(([field, counts]) => (field.startsWith(prefix) ? [counts] : [])),
    ),
    byWorker: Object.fromEntries(
      Object.entries(minute.byWorker).filter(([, report]) => report.source === source),
    ),
  }));
}

/** The minutes of one watch. Nobody reports its lag minute by minute. */
export function minutesOfWatch(minutes: readonly Minute[], source: string, watch: string): Minute[] {
  const field = watchField(source, watch);
  return minutes.map((minute) => {
    const own = Object.hasOwn(minute.byWatch, field) ? minute.byWatch[field] : undefined;
    return { ...minute, all: summed(own === undefined ? [] : [own]), byWorker: {} };
  });
}

function summed(parts: readonly Partial<Counters>[]): Counters {
  const sum = { ...NO_COUNTS };
  for (const counts of parts)
    for (const name of Object.keys(sum) as (keyof Counters)[]) sum[name] += counts[name] ?? 0;
  return sum;
}
