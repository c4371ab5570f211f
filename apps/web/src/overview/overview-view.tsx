"use client";
/** The landing page: one sentence, four numbers, what needs attention, and the last hours. */
import { useQuery } from "@tanstack/react-query";
import { KillCard } from "../demo/kill-card.tsx";
import { SourceTable } from "../sources/source-table.tsx";
import { useTRPC } from "../trpc/client.tsx";
import { Answered } from "../ui/answered.tsx";
import { Card } from "../ui/card.tsx";
import { AttentionList } from "./attention-list.tsx";
import { BusiestStreams } from "./busiest-streams.tsx";
import { Tiles } from "./tiles.tsx";
import { ThroughputCard } from "./throughput-card.tsx";
import { Verdict } from "./verdict.tsx";

export function OverviewView() {
  const trpc = useTRPC();
  // The live feed replaces it every few seconds.
  const overview = useQuery(trpc.overview.get.queryOptions());
  return (
    <Answered query={overview} what="The overview" lines={10}>
      {(data) => (
        <div className="flex flex-col gap-4">
          <Verdict overview={data} readAt={overview.dataUpdatedAt} />
          <KillCard />
          {/* On a phone what needs attention comes before the numbers. */}
          <div className="flex flex-col gap-4 max-sm:flex-col-reverse">
            <Tiles overview={data} />
            <Card title="Needs attention" flush>
              <AttentionList items={data.attention} checkedAt={data.at} />
            </Card>
          </div>
          {data.sources.length > 0 && (
            <Card title="Sources" flush>
              <SourceTable
                sources={data.sources}
                shown={{ at: data.at, readAt: overview.dataUpdatedAt, filling: data.filling }}
              />
            </Card>
          )}
          <div className="grid grid-cols-1 items-start gap-4 xl:grid-cols-[minmax(0,5fr)_minmax(0,3fr)]">
            <ThroughputCard overview={data} />
            <BusiestStreams streams={data.busiest} />
          </div>
        </div>
      )}
    </Answered>
  );
}
