"use client";
/** The sources; one of them with its watches; or one watch. Which one is in the address. */
import { useQuery } from "@tanstack/react-query";
import { Database } from "lucide-react";
import { useQueryStates } from "nuqs";
import { useLiveRefresh } from "../live/live-context.tsx";
import { useTRPC } from "../trpc/client.tsx";
import { Answered } from "../ui/answered.tsx";
import { PageTitle } from "../ui/page-title.tsx";
import { Empty } from "../ui/states.tsx";
import { SourceTable } from "./source-table.tsx";
import { SourcePage, WatchPage } from "./source-view.tsx";
import { sourceParsers } from "./source-params.ts";

const REFRESH_EVERY_MS = 5_000;
/** Ages and rates of what does not change are shown at most this late. */
const AT_LEAST_EVERY_MS = 10_000;

export function SourcesPageView() {
  const trpc = useTRPC();
  const [{ source, watch }] = useQueryStates(sourceParsers);
  const view = useQuery(trpc.sources.list.queryOptions(undefined, { refetchInterval: AT_LEAST_EVERY_MS }));
  useLiveRefresh(
    (batch) => batch.reset || batch.others || batch.rows.length > 0,
    () => void view.refetch(),
    REFRESH_EVERY_MS,
  );
  return (
    <Answered query={view} what="The list of sources" lines={8}>
      {({ at, sources, filling }) => {
        const shown = { at, filling, readAt: view.dataUpdatedAt };
        if (source === null)
          return (
            <>
              <PageTitle title="Sources">
                The volumes that files are on, with the watches of each: streams belong to them, not to a
                worker.
              </PageTitle>
              <div className="card">
                {sources.length === 0 ? (
                  <Empty icon={Database} title="No source is known">
                    Start a worker next to the recorder: its source appears here within seconds.
                  </Empty>
                ) : (
                  <SourceTable sources={sources} shown={shown} />
                )}
              </div>
            </>
          );
        const one = sources.find((each) => each.source === source);
        const own = watch === null ? undefined : one?.watches.find((each) => each.watch === watch);
        if (one === undefined || (watch !== null && own === undefined))
          return (
            <>
              <PageTitle title={watch === null ? `Source ${source}` : `Watch ${watch}`} />
              <div className="card">
                <Empty icon={Database} title={`No such ${watch === null ? "source" : "watch"} is known now`}>
                  No worker reports it, and no stream of it is open or failed.
                </Empty>
              </div>
            </>
          );
        return own === undefined ? (
          <SourcePage source={one} shown={shown} />
        ) : (
          <WatchPage source={one} watch={own} shown={shown} />
        );
      }}
    </Answered>
  );
}
