"use client";
/** Why streams failed, what to do, what a purge would leave only on disk; and the purge itself. */
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { CircleCheck, RotateCw, Trash2 } from "lucide-react";
import { parseAsString, parseAsStringLiteral, useQueryState } from "nuqs";
import { useAct } from "../actions/action-context.tsx";
import { plural } from "@sluice/control/units";
import { useLive, useLiveRefresh } from "../live/live-context.tsx";
import type { FailedGroup } from "../server/failed.ts";
import { useWriteObstacle } from "../shell/session-context.tsx";
import { reasonWords } from "@sluice/control/words";
import { ALL_STREAMS } from "../streams/stream-filter.ts";
import { useTRPC } from "../trpc/client.tsx";
import { Answered } from "../ui/answered.tsx";
import { Button } from "../ui/button.tsx";
import { useNow } from "../ui/clock.ts";
import { PageTitle } from "../ui/page-title.tsx";
import { usePreferences } from "../ui/preferences-context.tsx";
import { Select } from "../ui/select.tsx";
import { Empty } from "../ui/states.tsx";
import { TIMES, TIME_WORDS, timesOf, type TimeRange } from "../ui/time-range.ts";
import { FailedGroupCard, type FailedSpan } from "./failed-group.tsx";

const REFRESH_EVERY_MS = 1_000;

export function FailedView() {
  const trpc = useTRPC();
  const queries = useQueryClient();
  const [when, setWhen] = useQueryState("when", parseAsStringLiteral(TIMES));
  const { timeMode } = usePreferences();
  const { from: since, until } = timesOf(when, useNow(), timeMode === "utc");
  const span = { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
  const failed = useQuery(
    // "The last hour" is another question each minute.
    trpc.failed.groups.queryOptions(span, { placeholderData: keepPreviousData }),
  );
  const { latest } = useLive();
  useLiveRefresh(
    (batch) =>
      batch.reset ||
      batch.gone.length > 0 ||
      // A stream that was retried is no longer one of them.
      batch.failed !== latest.failed ||
      batch.rows.some((row) => row.kind === "failed"),
    () => void queries.invalidateQueries({ queryKey: trpc.failed.groups.queryKey() }),
    REFRESH_EVERY_MS,
  );
  const all = (failed.data?.groups ?? [])
    .filter((group) => !group.superseded)
    .reduce((sum, group) => sum + group.count, 0);
  return (
    <>
      <PageTitle title="Failed" actions={<AllActions span={span} none={all === 0} />}>
        {failed.data === undefined
          ? "Reading…"
          : `${plural(all, "stream")} that cannot continue without help. Files on disk are never touched here.`}
      </PageTitle>
      <div className="mb-4">
        <Select
          label="Failed in"
          value={when ?? ""}
          options={TIMES}
          words={(range) => TIME_WORDS[range as TimeRange]}
          onChange={(range) => void setWhen(TIMES.find((known) => known === range) ?? null)}
        />
      </div>
      <Answered query={failed} what="The list of failed streams">
        {({ groups }) => <Groups groups={groups} span={span} when={when} />}
      </Answered>
    </>
  );
}

function AllActions({ span, none }: { span: FailedSpan; none: boolean }) {
  const target = { filter: { ...ALL_STREAMS, view: "failed" as const, time: "failed" as const, ...span } };
  const isLimited = Object.keys(span).length > 0;
  const act = useAct();
  const blocked = useWriteObstacle() ?? (none ? "nothing has failed" : undefined);
  return (
    <>
      <Button unavailable={blocked} onClick={() => act({ action: "retry", target })}>
        <RotateCw aria-hidden className="size-4" /> {isLimited ? "Retry these" : "Retry all"}
      </Button>
      <Button unavailable={blocked} onClick={() => act({ action: "purge", target })}>
        <Trash2 aria-hidden className="size-4" /> {isLimited ? "Purge these" : "Purge all failed"}
      </Button>
    </>
  );
}

const IN_WORDS: Readonly<Record<TimeRange, string>> = {
  hour: "in the last hour",
  today: "today",
  yesterday: "yesterday",
  week: "in the last 7 days",
};

/** A reason in the URL limits the page to it. */
function Groups({
  groups,
  span,
  when,
}: {
  groups: readonly FailedGroup[];
  span: FailedSpan;
  when: TimeRange | null;
}) {
  const [reason, setReason] = useQueryState("reason", parseAsString.withDefault(""));
  const shown = reason === "" ? groups : groups.filter((group) => group.reason === reason);
  return (
    <div className="flex flex-col gap-4">
      {reason !== "" && (
        <p className="text-sm">
          Only <strong>{reasonWords(reason)}</strong>.{" "}
          <button type="button" className="text-accent underline" onClick={() => void setReason(null)}>
            Show every reason
          </button>
        </p>
      )}
      {shown.length === 0 ? (
        <div className="card">
          <Empty
            icon={CircleCheck}
            title={when === null ? "Nothing has failed" : `Nothing failed ${IN_WORDS[when]}`}
          >
            A stream fails only if it needs help. Outages of S3 or Redis never fail a stream.
          </Empty>
        </div>
      ) : (
        shown.map((group) => (
          <FailedGroupCard
            key={`${group.reason}-${group.superseded}`}
            group={group}
            span={span}
            when={when}
          />
        ))
      )}
    </div>
  );
}
