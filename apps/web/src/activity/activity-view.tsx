"use client";
/** Every operator action, newest first: who, from where, what, why, and what came of it, with a way to each result. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { History, Scissors } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { useAct } from "../actions/action-context.tsx";
import { useLiveRefresh } from "../live/live-context.tsx";
import { formatCount, plural } from "../lib/bytes.ts";
import { useWriteObstacle } from "../shell/session-context.tsx";
import { useTRPC } from "../trpc/client.tsx";
import { Button } from "../ui/button.tsx";
import { PageTitle } from "../ui/page-title.tsx";
import { Empty, Failure, Loading } from "../ui/states.tsx";
import { Time } from "../ui/time.tsx";

const REFRESH_EVERY_MS = 2_000;
const SHOWN_IDS = 20;
const DAY_MS = 86_400_000;

export function ActivityView() {
  const trpc = useTRPC();
  const act = useAct();
  const blocked = useWriteObstacle();
  const [action, setAction] = useState("");
  const audit = useInfiniteQuery(
    trpc.activity.page.infiniteQueryOptions({}, { getNextPageParam: (page) => page.next }),
  );
  useLiveRefresh(
    (batch) => batch.reset || batch.others || batch.gone.length > 0,
    () => void audit.refetch(),
    REFRESH_EVERY_MS,
  );
  const entries = audit.data?.pages.flatMap((page) => page.entries) ?? [];
  const actions = [...new Set(entries.map((entry) => entry.action))].sort();
  const shown = action === "" ? entries : entries.filter((entry) => entry.action === action);
  return (
    <>
      <PageTitle
        title="Activity"
        actions={
          <Button
            unavailable={blocked}
            onClick={() => act({ action: "prune_history", older_than_ms: DAY_MS })}
          >
            <Scissors aria-hidden className="size-4" /> Prune history older than a day
          </Button>
        }
      >
        What people did here and on the command line.
      </PageTitle>
      <section aria-label="Activity log" className="card min-w-0">
        <div className="flex items-center gap-3 border-b border-line px-4 py-2">
          <label className="text-sm">
            <span className="heard">Action</span>
            <select
              value={action}
              onChange={(event) => setAction(event.target.value)}
              className="h-8.5 rounded-md border border-line bg-surface px-2"
            >
              <option value="">Every action</option>
              {actions.map((each) => (
                <option key={each} value={each}>
                  {words(each)}
                </option>
              ))}
            </select>
          </label>
        </div>
        {audit.isError && audit.data === undefined ? (
          <div className="p-4">
            <Failure title="The activity log could not be read" detail={audit.error.message} />
          </div>
        ) : audit.data === undefined ? (
          <Loading lines={6} />
        ) : shown.length === 0 ? (
          <Empty icon={History} title="Nobody has done anything yet">
            Sign-ins, purges, retries and every other action appear here and are kept.
          </Empty>
        ) : (
          <ol className="divide-y divide-line text-sm">
            {shown.map((entry) => (
              <li
                key={entry.position}
                className="grid gap-x-4 gap-y-1 px-4 py-2.5 md:grid-cols-[8rem_10rem_minmax(0,1fr)]"
              >
                <Time at={entry.at_utc} className="text-muted" />
                <span className="min-w-0 truncate">
                  {entry.who}
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
                  {entry.reason && <p className="text-muted">“{entry.reason}”</p>}
                  {entry.ids.length > 0 && <Ids ids={entry.ids} />}
                </div>
              </li>
            ))}
          </ol>
        )}
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
