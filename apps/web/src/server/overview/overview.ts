/** What an operator must see within five seconds: is the data safe, is it getting worse, what needs attention. */
import type { Index } from "@sluice/core/stream/state";
import { uploadAge } from "@sluice/core/stream/upload-age";
import type { WorkerListing } from "@sluice/redis-schema/worker-registry";
import type { Hub } from "../hub.ts";
import { filterClock } from "../read-model/list-page.ts";
import { selectPage } from "../read-model/select-page.ts";
import {
  indexOfRow,
  isSuperseded,
  lagBytes,
  pathOf,
  sentBytes,
  startedAt,
  type StreamRow,
} from "@sluice/control/stream-row";
import { disksOf, type Disk } from "@sluice/control/disk-space";
import type { Orphan } from "@sluice/redis-schema/records/upload-entries";
import { endingUploads, retentionOf, type EndingUpload } from "@sluice/control/ending-uploads";
import { rateNow } from "@sluice/control/rates";
import { RiskTally, type Risk } from "@sluice/control/verdict";
import { needsAttention, type Attention } from "./attention.ts";
import type { Chart } from "../../overview/chart.ts";
import type { SourceView } from "../sources/places.ts";
import { chartOf } from "./throughput.ts";

export interface Overview {
  at: number;
  /** Bytes of live streams on disk that are not in S3. */
  lag_bytes: number;
  /** The same by source. */
  lag_by_source: Readonly<Record<string, number>>;
  /** The input of the verdict. */
  risk: Risk;
  /** Bytes per second, in and out, over the last minute or two. */
  rate_in: number;
  rate_out: number;
  /** Bytes that the loss of their host would lose. */
  unprotected_bytes: number;
  counts: Record<Index, number> & { stalled: number; superseded: number; reopened: number };
  completed_24h: number;
  workers: { alive: number; blocked: number; draining: number; gone: number };
  /** The fullest disk of a watch that a worker reports. */
  disk?: Disk;
  attention: Attention[];
  /** The sources with the most unprotected bytes. */
  sources: SourceSummary[];
  /** The live streams that are furthest behind, most lag first. */
  busiest: BusyStream[];
  /** The streams are still being read, so sums are incomplete. */
  filling: boolean;
}

export type SourceSummary = Pick<
  SourceView,
  "source" | "risk" | "lag_bytes" | "unprotected_bytes" | "rate_out" | "failed" | "disk"
>;

export interface BusyStream {
  id: string;
  path: string;
  sent: number;
  size: number;
  lag: number;
}

const BUSIEST = 6;
const MOST_SOURCES = 8;

export async function overviewOf(hub: Hub): Promise<Overview> {
  const [minutes, listings, counts, orphans] = await Promise.all([
    hub.minutes.day(),
    hub.workers.list(),
    hub.reader.counts(),
    hub.deletableOrphans(),
  ]);
  const { tally, seen } = collectRows(hub, listings, await hub.orphans.orphans());
  const watches = (await hub.watches.loadMany(tally.watches)).filter((watch) => watch !== undefined);
  const even = rateNow(minutes, Date.now());
  const rates = { ...even, rate_in: hub.written.rate(minutes, Date.now()) ?? even.rate_in };
  const risk = tally.risk(watches, rates);
  const disks = disksOf(listings);
  return {
    at: Date.now(),
    risk,
    lag_bytes: tally.bytes,
    lag_by_source: tally.bytesBySource,
    unprotected_bytes: tally.unprotected,
    ...rates,
    counts: {
      ...counts,
      failed: counts.failed - seen.superseded,
      stalled: tally.stalled,
      superseded: seen.superseded,
      reopened: seen.reopened.length,
    },
    completed_24h: minutes.reduce((sum, minute) => sum + minute.all.completed, 0),
    workers: workerCounts(listings),
    ...(disks[0] === undefined ? {} : { disk: disks[0] }),
    attention: await needsAttention(hub, { risk, disks, stalled: tally.stalled, orphans, ...seen }),
    sources: await sourceSummaries(hub),
    busiest: busiestOf(hub),
    filling: !hub.model.filled,
  };
}

async function sourceSummaries(hub: Hub): Promise<SourceSummary[]> {
  const { sources } = await hub.sourcesNow();
  return sources
    .slice(0, MOST_SOURCES)
    .map(({ source, risk, lag_bytes, unprotected_bytes, rate_out, failed, disk }) => ({
      source,
      risk,
      lag_bytes,
      unprotected_bytes,
      rate_out,
      failed,
      ...(disk === undefined ? {} : { disk }),
    }));
}

function busiestOf(hub: Hub): BusyStream[] {
  const live = (row: StreamRow) => indexOfRow(row) === "active";
  const { rows } = selectPage(hub.model.rows.values(), live, { sort: "lag", dir: "desc", limit: BUSIEST });
  return rows.map((row) => ({
    id: row.id,
    path: pathOf(row),
    sent: sentBytes(row),
    size: row.file_size ?? 0,
    lag: lagBytes(row),
  }));
}

/** The last minutes, at most a day. */
export async function chartOfMinutes(hub: Hub, minutes: number): Promise<Chart> {
  const [day, listings] = await Promise.all([hub.minutes.day(), hub.workersNow()]);
  const { tally } = collectRows(hub, listings, []);
  return chartOf(day, { now: Date.now(), minutes, listings, lagNow: tally.bytesBySource });
}

export interface SeenRows {
  superseded: number;
  /** Streams that replaced their own earlier object. */
  reopened: StreamRow[];
  /** Started within the last day, under the third or a later name that their path got within a day. */
  renamed: StreamRow[];
  failed: StreamRow[];
  tidyErrors: number;
  nearPartLimit: number;
  /** The store will abort the upload soon, or before it can be completed at the current rate. */
  nearAbort: StreamRow[];
  /** Uploads that are an only copy and end soon. */
  ending: EndingUpload[];
}

const DAY_MS = 86_400_000;

/** From this number of parts on, a stream is near the 10,000 that S3 accepts. */
const NEAR_PART_LIMIT = 9_000;

function collectRows(
  hub: Hub,
  listings: readonly WorkerListing[],
  orphans: readonly Orphan[],
): { tally: RiskTally; seen: SeenRows } {
  const clock = filterClock(hub);
  const tally = new RiskTally({ listings, nowMs: clock.now, stallAfterMs: clock.stallAfterMs });
  const seen: SeenRows = {
    superseded: 0,
    reopened: [],
    renamed: [],
    failed: [],
    tidyErrors: 0,
    nearPartLimit: 0,
    nearAbort: [],
    ending: [],
  };
  const failed: StreamRow[] = [];
  for (const row of hub.model.rows.values()) {
    tally.add(row);
    if (row.tidy_error !== undefined) seen.tidyErrors += 1;
    if (isReopened(hub, row)) seen.reopened.push(row);
    if (row.name_number !== undefined && clock.now - (startedAt(row) ?? 0) < DAY_MS) seen.renamed.push(row);
    const index = indexOfRow(row);
    if (index === "failed") {
      failed.push(row);
      if (isSuperseded(row)) seen.superseded += 1;
      else seen.failed.push(row);
    } else if (index !== "completed") addLive(seen, row, clock.now);
  }
  seen.ending = endingUploads({ rows: failed, orphans }, retentionOf(listings), clock.now);
  return { tally, seen };
}

/** One that follows a failed stream took the place of another file, or of a longer one. */
function isReopened({ model }: Hub, { supersedes, index }: StreamRow): boolean {
  if (supersedes === undefined || index === "failed") return false;
  const earlier = model.rows.get(supersedes);
  return earlier === undefined || indexOfRow(earlier) !== "failed";
}

function addLive(seen: SeenRows, row: StreamRow, now: number): void {
  if ((row.next_part ?? 1) > NEAR_PART_LIMIT) seen.nearPartLimit += 1;
  if ((uploadAge(row, now)?.outlook ?? "ample") !== "ample") seen.nearAbort.push(row);
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
