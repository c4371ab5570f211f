"use client";
/** Why streams failed, what to do, what a purge would leave to the disk alone; and the purge itself. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { CircleCheck, RotateCw, Trash2 } from "lucide-react";
import Link from "next/link";
import { parseAsString, useQueryState } from "nuqs";
import { useAct } from "../actions/action-context.tsx";
import { useLiveRefresh } from "../live/live-context.tsx";
import { formatCount, plural } from "../lib/bytes.ts";
import type { FailedGroup } from "../server/failed.ts";
import { useWriteObstacle } from "../shell/session-context.tsx";
import { listHref } from "../streams/list-params.ts";
import { reasonWords } from "../streams/status.tsx";
import { filterSchema, type StreamFilter } from "../streams/stream-filter.ts";
import { fileName, lagBytes, lastActivityAt, pathOf } from "../streams/stream-row.ts";
import { useTRPC } from "../trpc/client.tsx";
import { Button } from "../ui/button.tsx";
import { Bytes } from "../ui/bytes.tsx";
import { PageTitle } from "../ui/page-title.tsx";
import { Empty, Failure, Loading } from "../ui/states.tsx";
import { Time } from "../ui/time.tsx";
import { VisibleName } from "../ui/visible-name.tsx";

const REFRESH_EVERY_MS = 1_000;

export function FailedView() {
  const trpc = useTRPC();
  const queries = useQueryClient();
  const act = useAct();
  const blocked = useWriteObstacle();
  const [reason, setReason] = useQueryState("reason", parseAsString.withDefault(""));
  const failed = useQuery(trpc.failed.groups.queryOptions());
  useLiveRefresh(
    (batch) =>
      batch.reset ||
      batch.gone.length > 0 ||
      batch.rows.some((row) => row.status.startsWith("failed_") || row.kind === "processing"),
    () => void queries.invalidateQueries({ queryKey: trpc.failed.groups.queryKey() }),
    REFRESH_EVERY_MS,
  );
  const groups = failed.data?.groups ?? [];
  const shown = reason === "" ? groups : groups.filter((group) => group.reason === reason);
  const all = groups.filter((group) => !group.superseded).reduce((sum, group) => sum + group.count, 0);
  const none = all === 0 ? "nothing has failed" : undefined;
  return (
    <>
      <PageTitle
        title="Failed"
        actions={
          <>
            <Button
              unavailable={blocked ?? none}
              onClick={() =>
                act({ action: "retry", target: { filter: filterSchema.parse({ view: "failed" }) } })
              }
            >
              <RotateCw aria-hidden className="size-4" /> Retry all
            </Button>
            <Button
              unavailable={blocked ?? none}
              onClick={() =>
                act({ action: "purge", target: { filter: filterSchema.parse({ view: "failed" }) } })
              }
            >
              <Trash2 aria-hidden className="size-4" /> Purge all failed
            </Button>
          </>
        }
      >
        {failed.data === undefined
          ? "Reading…"
          : `${plural(all, "stream")} that cannot go on alone. Files on disk are never touched here.`}
      </PageTitle>
      {failed.isError && failed.data === undefined ? (
        <Failure
          title="Failed streams could not be read"
          detail={failed.error.message}
          action={<Button onClick={() => void failed.refetch()}>Try again</Button>}
        />
      ) : failed.data === undefined ? (
        <Loading lines={6} />
      ) : (
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
                A stream fails only for what cannot heal alone. Trouble of S3 or Redis never fails one.
              </Empty>
            </div>
          ) : (
            shown.map((group) => <Group key={`${group.reason}-${group.superseded}`} group={group} />)
          )}
        </div>
      )}
    </>
  );
}

function Group({ group }: { group: FailedGroup }) {
  const act = useAct();
  const blocked = useWriteObstacle();
  const view = group.superseded ? ("superseded" as const) : ("failed" as const);
  const filter: StreamFilter = filterSchema.parse({ view, reason: group.reason });
  const name = reasonWords(group.reason) || "unknown reason";
  const id = `group-${view}-${group.reason}`;
  return (
    <section aria-labelledby={id} className="card min-w-0">
      <header className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3 px-4 py-3.5">
        <div className="min-w-0 flex-1 basis-80">
          <h2 id={id} className="flex flex-wrap items-baseline gap-x-2 text-base first-letter:uppercase">
            <span className="first-letter:uppercase">{name}</span>
            <span className={`num text-sm font-medium ${group.superseded ? "text-muted" : "text-bad"}`}>
              {formatCount(group.count)}
              {group.superseded && " superseded"}
            </span>
          </h2>
          <p className="mt-1 text-sm text-muted">{group.cause}</p>
          <p className="mt-1 text-sm">{group.remedy}</p>
        </div>
        <dl className="grid grid-cols-[auto_auto] items-baseline gap-x-3 gap-y-0.5 text-sm">
          <dt className="text-muted">On local disk only</dt>
          <dd className="text-right">
            <Bytes n={group.only_on_disk} />
          </dd>
          <dt className="text-muted">In {plural(group.open_uploads, "open upload")}</dt>
          <dd className="text-right">
            <Bytes n={group.in_s3} />
          </dd>
        </dl>
        <div className="flex flex-wrap gap-2">
          {!group.superseded && (
            <Button
              size="small"
              unavailable={blocked}
              onClick={() => act({ action: "retry", target: { filter } })}
            >
              <RotateCw aria-hidden className="size-3.5" /> Retry <span className="heard">all of {name}</span>
            </Button>
          )}
          <Button
            size="small"
            unavailable={blocked}
            onClick={() => act({ action: "purge", target: { filter } })}
          >
            <Trash2 aria-hidden className="size-3.5" /> Purge <span className="heard">all of {name}</span>
          </Button>
        </div>
      </header>
      <ul className="divide-y divide-line border-t border-line text-sm">
        {group.sample.map((row) => (
          <li
            key={row.id}
            className="relative grid grid-cols-[minmax(0,1fr)_auto] gap-x-4 px-4 py-2 hover:bg-sunken/60 sm:grid-cols-[minmax(0,2fr)_minmax(0,3fr)_5.5rem_6rem]"
          >
            <Link
              href={`/streams/${encodeURIComponent(row.id)}`}
              className="truncate font-medium after:absolute after:inset-0 hover:text-accent"
            >
              <VisibleName text={fileName(pathOf(row))} />
            </Link>
            <span className="truncate text-muted max-sm:hidden">
              <VisibleName text={row.failure_detail ?? ""} />
            </span>
            <Bytes n={lagBytes(row)} className="text-right" />
            <Time at={lastActivityAt(row)} className="text-right text-muted max-sm:hidden" />
          </li>
        ))}
        {group.count > group.sample.length && (
          <li className="px-4 py-2">
            <Link href={listHref({ view, reason: group.reason })} className="text-accent hover:underline">
              All {formatCount(group.count)}
            </Link>
          </li>
        )}
      </ul>
    </section>
  );
}
