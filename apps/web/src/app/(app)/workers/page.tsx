/** The workers. */
import type { Metadata } from "next";
import { Prefetched } from "../../../trpc/server.tsx";
import { WorkersView } from "../../../workers/workers-view.tsx";

export const metadata: Metadata = { title: "Workers" };

export default function WorkersPage() {
  return (
    <Prefetched ask={(trpc, fetch) => [fetch(trpc.workers.list.queryOptions())]}>
      <WorkersView />
    </Prefetched>
  );
}
