/** One worker: its card, and what it reports of itself beside its lease. */
import type { PartSeconds, ReportedSetting, Trouble } from "@sluice/redis-schema/records/worker-report";
import { TRPCError } from "@trpc/server";
import type { Hub } from "./hub.ts";
import { settingDifferences, type OtherValue } from "./setting-differences.ts";
import { reportOf } from "./sources/places.ts";
import { workerViews, type WorkerView } from "./workers.ts";

export type ShownSetting = ReportedSetting & {
  /** What other workers of its source have instead. */
  elsewhere?: readonly OtherValue[];
};

export interface WorkerPage {
  worker: WorkerView;
  /** Absent: it has not reported them, as one of an earlier version. */
  settings?: ShownSetting[];
  /** Newest first. */
  troubles?: readonly Trouble[];
  part_seconds?: PartSeconds;
}

/** More are not compared: a source seldom has more than two. */
const MOST_COMPARED = 20;

export async function workerPage(hub: Hub, id: string): Promise<WorkerPage> {
  const [views, listings, report] = await Promise.all([
    workerViews(hub),
    hub.workersNow(),
    hub.reports.load(id),
  ]);
  const worker = views.find((view) => view.id === id);
  if (worker === undefined) throw new TRPCError({ code: "NOT_FOUND", message: `no worker ${id} is known` });
  const source = (worker.lease ?? worker.last)?.source;
  const others = listings
    .filter((listing) => listing.id !== id && listing.lease.kind === "ok")
    .filter((listing) => source !== undefined && reportOf(listing)?.source === source)
    .slice(0, MOST_COMPARED);
  const reports = await Promise.all(
    others.map(async (listing) => ({
      id: listing.id,
      settings: (await hub.reports.load(listing.id)).settings ?? [],
    })),
  );
  const { settings, ...rest } = report;
  if (settings === undefined) return { worker, ...rest };
  const elsewhere = settingDifferences(
    settings,
    reports.filter((other) => other.settings.length > 0),
  );
  const missing = [...elsewhere.keys()].filter((name) => !settings.some((own) => own.name === name));
  return {
    worker,
    ...rest,
    settings: [
      ...settings,
      // Only the others have them, such as a watch.
      ...missing.map((name) => ({ name, group: "What is watched", origin: "not here" })),
    ].map((setting) => {
      const values = elsewhere.get(setting.name);
      return values === undefined ? setting : { ...setting, elsewhere: values };
    }),
  };
}
