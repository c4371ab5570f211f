"use client";
/** Why streams failed, what to do, what a purge would leave only on disk; and the purge itself. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { CircleCheck, RotateCw, Trash2 } from "lucide-react";
import { parseAsString, useQueryState } from "nuqs";
import { useAct } from "../actions/action-context.tsx";
import { plural } from "@sluice/control/units";
import { useLive, useLiveRefresh } from "../live/live-context.tsx";
import type { FailedGroup } from "../server/failed.ts";
import { useWriteObstacle } from "../shell/session-context.tsx";
import { reasonWords } from "@sluice/control/words";
import { filterSchema } from "../streams/stream-filter.ts";
import { useTRPC } from "../trpc/client.tsx";
import { Answered } from "../ui/answered.tsx";
import { Button } from "../ui/button.tsx";
import { PageTitle } from "../ui/page-title.tsx";
import { Empty } from "../ui/states.tsx";
import { FailedGroupCard } from "./failed-group.tsx";

const REFRESH_EVERY_MS = 1_000;

export function FailedView() {
  const trpc = useTRPC();
  const queries = useQueryClient();
  const failed = useQuery(trpc.failed.groups.queryOptions());
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
      <PageTitle title="Failed" actions={<AllActions none={all === 0} />}>
        {failed.data === undefined
          ? "Reading…"
          : `${plural(all, "stream")} that cannot continue without help. Files on disk are never touched here.`}
      </PageTitle>
      <Answered query={failed} what="The list of failed streams">
        {({ groups }) => <Groups groups={groups} />}
      </Answered>
    </>
  );
}

const ALL = { filter: filterSchema.parse({ view: "failed" }) };

function AllActions({ none }: { none: boolean }) {
  const act = useAct();
  const blocked = useWriteObstacle() ?? (none ? "nothing has failed" : undefined);
  return (
    <>
      <Button unavailable={blocked} onClick={() => act({ action: "retry", target: ALL })}>
        <RotateCw aria-hidden className="size-4" /> Retry all
      </Button>
      <Button unavailable={blocked} onClick={() => act({ action: "purge", target: ALL })}>
        <Trash2 aria-hidden className="size-4" /> Purge all failed
      </Button>
    </>
  );
}

/** A reason in the URL limits the page to it. */
function Groups({ groups }: { groups: readonly FailedGroup[] }) {
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
          <Empty icon={CircleCheck} title="Nothing has failed">
            A stream fails only if it needs help. Outages of S3 or Redis never fail a stream.
          </Empty>
        </div>
      ) : (
        shown.map((group) => <FailedGroupCard key={`${group.reason}-${group.superseded}`} group={group} />)
      )}
    </div>
  );
}
