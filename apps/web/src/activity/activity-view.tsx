"use client";
/** Every operator action, newest first, filtered by time, actor and action; sign-ins on a list of their own. */
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { History, Scissors } from "lucide-react";
import { useQueryStates } from "nuqs";
import { useAct } from "../actions/action-context.tsx";
import { PLAN_ACTIONS } from "@sluice/control/actions";
import { useLiveRefresh } from "../live/live-context.tsx";
import type { ActivityEntry } from "../server/activity.ts";
import { useWriteObstacle } from "../shell/session-context.tsx";
import { useTRPC } from "../trpc/client.tsx";
import { Answered } from "../ui/answered.tsx";
import { Button } from "../ui/button.tsx";
import { Choice } from "../ui/choice.tsx";
import { useNow } from "../ui/clock.ts";
import { PageTitle } from "../ui/page-title.tsx";
import { usePreferences } from "../ui/preferences-context.tsx";
import { Select } from "../ui/select.tsx";
import { Empty } from "../ui/states.tsx";
import { ActivityEntries, actionWords } from "./activity-entries.tsx";
import { TIMES, TIME_WORDS, type TimeRange } from "../ui/time-range.ts";
import { activityInput, activityParsers, type ActivityParams } from "./activity-params.ts";

const REFRESH_EVERY_MS = 2_000;
const DAY_MS = 86_400_000;

export function ActivityView() {
  const trpc = useTRPC();
  const [params, setParams] = useQueryStates(activityParsers);
  const { timeMode } = usePreferences();
  const input = activityInput(params, useNow(), timeMode === "utc");
  const audit = useInfiniteQuery(
    trpc.activity.page.infiniteQueryOptions(input, {
      getNextPageParam: (page) => page.next,
      // "The last hour" is another question each minute.
      placeholderData: keepPreviousData,
    }),
  );
  useLiveRefresh(
    (batch) => batch.reset || batch.others || batch.gone.length > 0,
    () => void audit.refetch(),
    REFRESH_EVERY_MS,
  );
  const entries = audit.data?.pages.flatMap((page) => page.entries) ?? [];
  return (
    <>
      <PageTitle title="Activity" actions={<PruneButton />}>
        Actions in this dashboard and on the command line.
      </PageTitle>
      <Filters params={params} entries={entries} onChange={(patch) => void setParams(patch)} />
      <section aria-label="Activity log" className="card min-w-0 overflow-hidden">
        <Answered query={audit} what="The activity log">
          {() =>
            entries.length === 0 ? (
              <Nothing params={params} more={audit.hasNextPage} />
            ) : (
              <ActivityEntries label="Activity" entries={entries} />
            )
          }
        </Answered>
        {audit.hasNextPage && (
          <div className="border-t border-line px-4 py-2.5">
            <Button
              size="small"
              onClick={() => void audit.fetchNextPage()}
              aria-busy={audit.isFetchingNextPage}
            >
              Older
            </Button>
          </div>
        )}
      </section>
    </>
  );
}

function PruneButton() {
  const act = useAct();
  const blocked = useWriteObstacle();
  return (
    <Button unavailable={blocked} onClick={() => act({ action: "prune_history", older_than_ms: DAY_MS })}>
      <Scissors aria-hidden className="size-4" /> Prune history older than a day
    </Button>
  );
}

const KIND_WORDS = [
  { value: "actions", label: "Actions" },
  { value: "sign_ins", label: "Sign-ins" },
] as const;

function Filters({
  params,
  entries,
  onChange,
}: {
  params: ActivityParams;
  entries: readonly ActivityEntry[];
  onChange: (patch: Partial<ActivityParams>) => void;
}) {
  const names = [...new Set(entries.map(({ who }) => who))].sort();
  // Actions of the command line and of later versions are not among those that are planned here.
  const seen = new Set([
    ...(params.kind === "actions" ? PLAN_ACTIONS : []),
    ...entries.map(({ action }) => action),
  ]);
  return (
    <div className="mb-4 flex flex-wrap items-center gap-2">
      <Choice
        legend="Show"
        hideLegend
        name="kind"
        value={params.kind}
        options={KIND_WORDS}
        onChange={(kind) => onChange({ kind, action: "" })}
      />
      <Select
        label="Time"
        value={params.when ?? ""}
        options={TIMES}
        words={(when) => TIME_WORDS[when as TimeRange]}
        onChange={(when) => onChange({ when: TIMES.find((known) => known === when) ?? null })}
      />
      <Select label="Who" value={params.who} options={names} onChange={(who) => onChange({ who })} />
      <Select
        label="Action"
        value={params.action}
        options={[...seen].sort()}
        words={actionWords}
        onChange={(action) => onChange({ action })}
      />
    </div>
  );
}

function Nothing({ params, more }: { params: ActivityParams; more: boolean }) {
  if (more)
    return (
      <Empty icon={History} title="None among the newest entries">
        “Older” looks further back.
      </Empty>
    );
  const isFiltered = params.who !== "" || params.action !== "" || params.when !== null;
  return (
    <Empty icon={History} title={isFiltered ? "No entry matches" : "No entries yet"}>
      {isFiltered
        ? "Choose another time, actor or action."
        : "Purges, retries and every other action appear here, and sign-ins on their own list."}
    </Empty>
  );
}
