/** The overview. */
import type { Metadata } from "next";
import { OverviewView } from "../../overview/overview-view.tsx";
import { BUSIEST } from "../../overview/busiest.ts";
import { Prefetched } from "../../trpc/server.tsx";

export const metadata: Metadata = { title: "Overview" };

export default function OverviewPage() {
  return (
    <Prefetched
      ask={(trpc, fetch) => [
        fetch(trpc.overview.get.queryOptions()),
        fetch(trpc.streams.page.queryOptions(BUSIEST)),
      ]}
    >
      <OverviewView />
    </Prefetched>
  );
}
