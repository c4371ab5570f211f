/** The sources, one of them, or one of its watches. */
import type { Metadata } from "next";
import type { SearchParams } from "nuqs/server";
import { SourcesPageView } from "../../../sources/sources-view.tsx";
import { loadSource } from "../../../sources/source-params.ts";
import { Prefetched } from "../../../trpc/server.tsx";

type Props = { searchParams: Promise<SearchParams> };

export async function generateMetadata({ searchParams }: Props): Promise<Metadata> {
  const { source, watch } = await loadSource(searchParams);
  return { title: watch !== null ? `Watch ${watch}` : source !== null ? `Source ${source}` : "Sources" };
}

export default async function SourcesPage({ searchParams }: Props) {
  const { source, watch, range } = await loadSource(searchParams);
  return (
    <Prefetched
      ask={(trpc, fetch) => [
        fetch(trpc.sources.list.queryOptions()),
        ...(source === null
          ? []
          : [
              fetch(trpc.sources.chart.queryOptions({ source, ...(watch === null ? {} : { watch }), range })),
            ]),
      ]}
    >
      <SourcesPageView />
    </Prefetched>
  );
}
