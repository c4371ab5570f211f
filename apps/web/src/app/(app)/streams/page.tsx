/** All streams: search, filter, sort, page, all in the URL. */
import type { Metadata } from "next";
import type { SearchParams } from "nuqs/server";
import { loadListParams, pageInput } from "../../../streams/list-params.ts";
import { StreamsView } from "../../../streams/streams-view.tsx";
import { Prefetched } from "../../../trpc/server.tsx";
import { PageTitle } from "../../../ui/page-title.tsx";

export const metadata: Metadata = { title: "Streams" };

export default async function StreamsPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const params = await loadListParams(searchParams);
  return (
    <>
      <PageTitle title="Streams" />
      <Prefetched
        ask={(trpc, fetch) => [
          // What "today" is, only the browser knows.
          ...(params.when === null ? [fetch(trpc.streams.page.queryOptions(pageInput(params)))] : []),
          fetch(trpc.streams.facets.queryOptions()),
        ]}
      >
        <StreamsView />
      </Prefetched>
    </>
  );
}
