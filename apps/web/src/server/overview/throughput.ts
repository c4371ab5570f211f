/**
 * The chart's minutes: what was written, what was sent, and the lag of each source. A source from which nobody reports
 * keeps the lag that was last known, because its bytes are still not in S3; the chart marks that time instead.
 */
import type { StatsWindow } from "@sluice/redis-schema/stats-store";
import type { WorkerListing } from "@sluice/redis-schema/worker-registry";

import { lagOfSources, OTHER_SOURCES, type Chart, type ChartMark } from "../../overview/chart.ts";

type Minute = StatsWindow["minutes"][number];

const MINUTE_MS = 60_000;
/** Sources drawn separately; the others, those with the least lag, are added up. */
const MOST_SOURCES = 5;
/** Marks in one chart; beyond this only the newest are kept. */
const MOST_MARKS = 40;

export interface ChartFacts {
  now: number;
  /** How many minutes are shown. */
  minutes: number;
  listings: readonly WorkerListing[];
  /** Lag by source from the streams themselves. */
  lagNow: Readonly<Record<string, number>>;
}

/** Only whole minutes: the running one would always look like a drop. */
export function chartOf(day: readonly Minute[], { now, minutes, listings, lagNow }: ChartFacts): Chart {
  const whole = day.filter(({ startsAt }) => startsAt + MINUTE_MS <= now);
  const sourceOf = sourcesOfWorkers(whole, listings);
  const reports = whole.map((minute) => reportOf(minute, sourceOf));
  const lags = carriedForward(reports, lagNow);
  const begin = Math.max(0, whole.length - minutes);
  const shown = whole.slice(begin);
  const sources = rankedSources(lags.slice(begin), lagNow);
  const from = shown[0]?.startsAt ?? now;
  return {
    sources: sources.names,
    points: shown.map((minute, at) => ({
      at: minute.startsAt,
      bytes_in: minute.all.bytes_in,
      bytes_sent: minute.all.bytes_sent,
      lag: sources.row(lags[begin + at] ?? new Map()),
    })),
    marks: [...starts(whole, now), ...silences(whole, reports, lags), ...blocks(whole)]
      .filter(({ kind, at, until }) => (kind === "started" ? at : (until ?? now)) >= from)
      .toSorted((a, b) => b.at - a.at)
      .slice(0, MOST_MARKS),
  };
}

/** A worker's source as it last reported it, in a minute or in its own record. */
function sourcesOfWorkers(
  minutes: readonly Minute[],
  listings: readonly WorkerListing[],
): (worker: string) => string {
  const sources = new Map<string, string>();
  for (const { id, lease } of listings) {
    const source =
      lease.kind === "ok" ? lease.value.source : lease.kind === "gone" ? lease.last?.source : undefined;
    if (source !== undefined) sources.set(id, source);
  }
  for (const { byWorker } of minutes)
    for (const [worker, { source }] of Object.entries(byWorker)) if (source) sources.set(worker, source);
  return (worker) => sources.get(worker) ?? "";
}

/** Lag by source as its workers reported it in that minute. */
function reportOf({ byWorker }: Minute, sourceOf: (worker: string) => string): ReadonlyMap<string, number> {
  const report = new Map<string, number>();
  for (const [worker, { lag_bytes: lag, source = sourceOf(worker) }] of Object.entries(byWorker))
    if (lag !== undefined) report.set(source, (report.get(source) ?? 0) + Math.max(0, lag));
  return report;
}

/** A source that never reported has the lag that its streams show now: nobody has changed them since. */
function carriedForward(
  reports: readonly ReadonlyMap<string, number>[],
  lagNow: Readonly<Record<string, number>>,
): ReadonlyMap<string, number>[] {
  const reported = new Set(reports.flatMap((report) => [...report.keys()]));
  let last = new Map(Object.entries(lagNow).filter(([source, bytes]) => bytes > 0 && !reported.has(source)));
  return reports.map((report) => (last = new Map([...last, ...report])));
}

function rankedSources(
  lags: readonly ReadonlyMap<string, number>[],
  lagNow: Readonly<Record<string, number>>,
): { names: string[]; row: (lag: ReadonlyMap<string, number>) => number[] } {
  const most = new Map(Object.entries(lagNow));
  for (const lag of lags)
    for (const [source, bytes] of lag) most.set(source, Math.max(most.get(source) ?? 0, bytes));
  const ranked = [...most].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([source]) => source);
  const names =
    ranked.length <= MOST_SOURCES ? ranked : [...ranked.slice(0, MOST_SOURCES - 1), OTHER_SOURCES];
  return { names, row: (lag) => lagOfSources(names, Object.fromEntries(lag)) };
}

function starts(minutes: readonly Minute[], now: number): ChartMark[] {
  const known = new Map<string, number>();
  const marks: ChartMark[] = [];
  for (const { byWorker } of minutes)
    for (const [subject, { started_at: at }] of Object.entries(byWorker)) {
      // Redis may contain anything, also what is no time.
      if (at === undefined || at < 0 || at > now || known.get(subject) === at) continue;
      known.set(subject, at);
      marks.push({ kind: "started", at, subject });
    }
  return marks;
}

/** From the first report of a source on; one whose bytes were all in S3 when it fell silent has no outage. */
function silences(
  minutes: readonly Minute[],
  reports: readonly ReadonlyMap<string, number>[],
  lags: readonly ReadonlyMap<string, number>[],
): ChartMark[] {
  const sources = new Set(reports.flatMap((report) => [...report.keys()]));
  return [...sources].flatMap((source) => {
    const first = reports.findIndex((report) => report.has(source));
    return runs(minutes, (at) => {
      return at > first && !(reports[at]?.has(source) ?? false) && (lags[at]?.get(source) ?? 0) > 0;
    }).map((run) => ({ kind: "silent" as const, subject: source, ...run }));
  });
}

function blocks(minutes: readonly Minute[]): ChartMark[] {
  const workers = new Set(minutes.flatMap(({ byWorker }) => Object.keys(byWorker)));
  return [...workers].flatMap((worker) =>
    runs(minutes, (at) => (minutes[at]?.byWorker[worker]?.blocked ?? 0) > 0).map((run) => ({
      kind: "blocked" as const,
      subject: worker,
      ...run,
    })),
  );
}

/** Unbroken runs of minutes in which something holds. */
function runs(minutes: readonly Minute[], holds: (at: number) => boolean): { at: number; until?: number }[] {
  const found: { at: number; until?: number }[] = [];
  let begun: number | undefined;
  minutes.forEach(({ startsAt }, at) => {
    if (holds(at)) begun ??= startsAt;
    else if (begun !== undefined) {
      found.push({ at: begun, until: startsAt });
      begun = undefined;
    }
  });
  if (begun !== undefined) found.push({ at: begun });
  return found;
}
