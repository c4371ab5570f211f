/** The dashboard itself. */
import type { Metadata } from "next";
import { SystemPageView } from "../../../system/system-view.tsx";
import { Prefetched } from "../../../trpc/server.tsx";

export const metadata: Metadata = { title: "System" };

export default function SystemPage() {
  return (
    <Prefetched ask={(trpc, fetch) => [fetch(trpc.system.get.queryOptions())]}>
      <SystemPageView />
    </Prefetched>
  );
}
