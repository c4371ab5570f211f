/** Open uploads that no stream owns. */
import type { Metadata } from "next";
import { OrphansPageView } from "../../../orphans/orphans-view.tsx";
import { Prefetched } from "../../../trpc/server.tsx";

export const metadata: Metadata = { title: "Orphans" };

export default function OrphansPage() {
  return (
    <Prefetched ask={(trpc, fetch) => [fetch(trpc.orphans.list.queryOptions())]}>
      <OrphansPageView />
    </Prefetched>
  );
}
