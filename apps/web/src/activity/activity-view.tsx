"use client";
/** Every operator action, newest first: who, from where, what, why, and the result, with a link to the details. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { History, Scissors } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { useAct } from "../actions/action-context.tsx";
import type { AuditPage } from "@sluice/redis-schema/audit-log";
import { useLiveRefresh } from "../live/live-context.tsx";
import { formatCount, plural } from "@sluice/control/units";
import { useWriteObstacle } from "../shell/session-context.tsx";
import { useTRPC } from "../trpc/client.tsx";
import { Answered } from "../ui/answered.tsx";
import { Button } from "../ui/button.tsx";
import { PageTitle } from "../ui/page-title.tsx";
import { Select } from "../ui/select.tsx";
import { Empty } from "../ui/states.tsx";
import { Time } from "../ui/time.tsx";
import { VisibleName } from "../ui/visible-name.tsx";

const REFRESH_EVERY_MS = 2_000;
const SHOWN_IDS = 20;
const DAY_MS = 86_400_000;

export function ActivityView() {
  const trpc = useTRPC();
  const audit = useInfiniteQuery(
    trpc.activity.page.infiniteQueryOptions({}, { getNextPageParam: (page) => page.next }),
  );
  useLiveRefresh(
    (batch) => batch.reset || batch.others || batch.gone.length > 0,
    () => void audit.refetch(),
    REFRESH_EVERY_MS,
  );
  return (
    <>
      <PageTitle title="Activity" actions={<PruneButton />}>
        Actions in this dashboard and on the command line.
      </PageTitle>
      <section aria-label="Activity log" className="card min-w-0">
        <Answered query={audit} what="The activity log">
          {({ pages }) => <Entries entries={pages.flatMap((page) => page.entries)} />}
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

type Entry = AuditPage["entries"][number];

function Entries({ entries }: { entries: readonly Entry[] }) {
  const [action, setAction] = useState("");
  const actions = [...new Set(entries.map((entry) => entry.action))].sort();
  const shown = action === "" ? entries : entries.filter((entry) => entry.action === action);
  return (
    <>
      <div className="border-b border-line px-4 py-2">
        <Select label="Action" value={action} options={actions} words={words} onChange={setAction} />
      </div>
      {shown.length === 0 ? (
        <Empty icon={History} title="No actions yet">
          Sign-ins, purges, retries and every other action appear here and are kept.
        </Empty>
      ) : (
        <ol className="divide-y divide-line text-sm">
          {shown.map((entry) => (
            <EntryRow key={entry.position} entry={entry} />
          ))}
        </ol>
      )}
    </>
  );
}

function EntryRow({ entry }: { entry: Entry }) {
  return (
    <li className="grid gap-x-4 gap-y-1 px-4 py-2.5 md:grid-cols-[8rem_12rem_minmax(0,1fr)]">
      <Time at={entry.at_utc} className="text-muted" />
      <span className="min-w-0 truncate">
        <VisibleName text={entry.who} />
        {entry.from && <span className="text-muted"> from {entry.from}</span>}
      </span>
      <div className="min-w-0">
        <p>
          <span className="font-medium">{words(entry.action)}</span>
          {entry.ids.length > 0 && (
            <span className="num text-muted"> · {plural(entry.ids.length, "id")}</span>
          )}
          <span className="text-muted"> · {entry.result}</span>
          {entry.plan && (
            <>
              {" · "}
              <Link href={`/activity/${entry.plan}`} className="text-accent hover:underline">
                each result
              </Link>
            </>
          )}
        </p>
        {entry.reason && (
          <p className="text-muted">
            “<VisibleName text={entry.reason} />”
          </p>
        )}
        {entry.ids.length > 0 && <Ids ids={entry.ids} />}
      </div>
    </li>
  );
}

function Ids({ ids }: { ids: readonly string[] }) {
  return (
    <details>
      <summary className="text-xs text-muted">ids</summary>
      <p className="mt-1 text-xs [overflow-wrap:anywhere]">
        {ids.slice(0, SHOWN_IDS).map((id, at) => (
          <span key={id}>
            {at > 0 && ", "}
            <Link href={`/streams/${encodeURIComponent(id)}`} className="hover:underline">
              <code>{id}</code>
            </Link>
          </span>
        ))}
        {ids.length > SHOWN_IDS && ` and ${formatCount(ids.length - SHOWN_IDS)} more`}
      </p>
    </details>
  );
}

function words(action: string): string {
  const text = action.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
