/** What the pages of sources and watches show, from the hub. */
import { TRPCError } from "@trpc/server";
import type { Chart } from "../../overview/chart.ts";
import type { Hub } from "../hub.ts";
import { chartOf } from "../overview/throughput.ts";
import { filterClock } from "../read-model/list-page.ts";
import { minutesOfSource, minutesOfWatch, reportOf, sourcesOf, type SourceView } from "./places.ts";

export interface SourcesView {
  at: number;
  sources: SourceView[];
  /** The streams are still being read, so sums are incomplete. */
  filling: boolean;
}

export async function sourcesView(hub: Hub): Promise<SourcesView> {
  const [listings, minutes] = await Promise.all([hub.workersNow(), hub.minutes.day()]);
  const { now, stallAfterMs } = filterClock(hub);
  const reported = listings.flatMap((listing) => {
    const report = reportOf(listing);
    return report === undefined ? [] : report.watches.map((name) => ({ source: report.source, name }));
  });
  const names = new Map(reported.map((watch) => [`${watch.source}/${watch.name}`, watch]));
  const watches = (await hub.watches.loadMany([...names.values()])).filter((watch) => watch !== undefined);
  const rows = hub.model.rows.values();
  return {
    at: now,
    sources: sourcesOf({ rows, listings, watches, minutes, now, stallAfterMs }),
    filling: !hub.model.filled,
  };
}

/** The chart of one source, or of one of its watches. */
export async function sourceChart(
  hub: Hub,
  { source, watch }: { source: string; watch?: string | undefined },
  minutes: number,
): Promise<Chart> {
  const [day, listings] = await Promise.all([hub.minutes.day(), hub.workersNow()]);
  const { sources } = await hub.sourcesNow();
  const found = sources.find((each) => each.source === source);
  if (found === undefined)
    throw new TRPCError({ code: "NOT_FOUND", message: `no source ${source} is known` });
  const own = watch === undefined ? minutesOfSource(day, source) : minutesOfWatch(day, source, watch);
  return chartOf(own, {
    now: Date.now(),
    minutes,
    listings: listings.filter((listing) => reportOf(listing)?.source === source),
    lagNow: watch === undefined ? { [source]: found.lag_bytes } : {},
  });
}
