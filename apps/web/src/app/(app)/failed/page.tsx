/** Failed streams by reason. */
import type { Metadata } from "next";
import type { SearchParams } from "nuqs/server";
import { FailedView } from "../../../failed/failed-view.tsx";
import { Prefetched } from "../../../trpc/server.tsx";

export const metadata: Metadata = { title: "Failed" };

export default async function FailedPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  // What "today" is, only the browser knows.
  const isOfAllTimes = (await searchParams)["when"] === undefined;
  return (
    <Prefetched ask={(trpc, fetch) => (isOfAllTimes ? [fetch(trpc.failed.groups.queryOptions({}))] : [])}>
      <FailedView />
    </Prefetched>
  );
}
