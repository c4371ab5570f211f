/** Failed streams by reason. */
import type { Metadata } from "next";
import { FailedView } from "../../../failed/failed-view.tsx";
import { Prefetched } from "../../../trpc/server.tsx";

export const metadata: Metadata = { title: "Failed" };

export default function FailedPage() {
  return (
    <Prefetched ask={(trpc, fetch) => [fetch(trpc.failed.groups.queryOptions())]}>
      <FailedView />
    </Prefetched>
  );
}
