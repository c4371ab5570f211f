"use client";
/** The landing page: one sentence, four numbers, what needs attention, and the last hours. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { KillCard } from "../demo/kill-card.tsx";
import { useLiveRefresh } from "../live/live-context.tsx";
import { useTRPC } from "../trpc/client.tsx";
import { Answered } from "../ui/answered.tsx";
import { Card } from "../ui/card.tsx";
import { AttentionList } from "./attention-list.tsx";
import { BusiestStreams } from "./busiest-streams.tsx";
import { Tiles } from "./tiles.tsx";
import { ThroughputCard } from "./throughput-card.tsx";
import { Verdict } from "./verdict.tsx";

const REFRESH_EVERY_MS = 1_500;
/** Rates and ages change even if nothing happens. */
const AT_LEAST_EVERY_MS = 5_000;

export function OverviewView() {
  const trpc = useTRPC();
  const queries = useQueryClient();
  const overview = useQuery(
    trpc.overview.get.queryOptions(undefined, { refetchInterval: AT_LEAST_EVERY_MS }),
  );
  useLiveRefresh(
    (batch) => batch.reset || batch.others || batch.rows.length > 0 || batch.gone.length > 0,
    () => void queries.invalidateQueries({ queryKey: trpc.overview.get.queryKey() }),
    REFRESH_EVERY_MS,
  );
  return (
    <Answered query={overview} what="The overview" lines={10}>
      {(data) => (
        <div className="flex flex-col gap-4">
          <Verdict overview={data} readAt={overview.dataUpdatedAt} />
          <KillCard />
          <Tiles overview={data} />
          <div className="grid grid-cols-1 items-start gap-4 xl:grid-cols-[minmax(0,5fr)_minmax(0,3fr)]">
            <div className="flex min-w-0 flex-col gap-4">
              <ThroughputCard points={data.chart} />
              <BusiestStreams />
            </div>
            <Card title="Needs attention" flush className="max-xl:order-first">
              <AttentionList items={data.attention} checkedAt={data.at} />
            </Card>
          </div>
        </div>
      )}
    </Answered>
  );
}
