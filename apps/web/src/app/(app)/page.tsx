/** The overview. */
import type { Metadata } from "next";
import type { SearchParams } from "nuqs/server";
import { OverviewView } from "../../overview/overview-view.tsx";
import { loadRange } from "../../overview/range.ts";
import { Prefetched } from "../../trpc/server.tsx";

export const metadata: Metadata = { title: "Overview" };

export default async function OverviewPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const { range } = await loadRange(searchParams);
  return (
    <Prefetched
      ask={(trpc, fetch) => [
        fetch(trpc.overview.get.queryOptions()),
        fetch(trpc.overview.chart.queryOptions({ range })),
      ]}
    >
      <OverviewView />
    </Prefetched>
  );
}
