"use client";
/** Failed streams of one reason: cause, remedy, where their bytes are, the newest few, and actions for all of them. */
import { LifeBuoy, RotateCw, Trash2 } from "lucide-react";
import Link from "next/link";
import { useAct } from "../actions/action-context.tsx";
import { formatCount, plural } from "@sluice/control/units";
import type { FailedGroup } from "../server/failed.ts";
import { useWriteObstacle } from "../shell/session-context.tsx";
import { listHref } from "../streams/list-params.ts";
import { timeOf } from "@sluice/control/row-filter";
import type { TimeRange } from "../ui/time-range.ts";
import { reasonWords } from "@sluice/control/words";
import { ALL_STREAMS, type StreamFilter } from "../streams/stream-filter.ts";
import { fileName, lagBytes, pathOf, type StreamRow } from "@sluice/control/stream-row";
import { Button } from "../ui/button.tsx";
import { Bytes } from "../ui/bytes.tsx";
import { Time } from "../ui/time.tsx";
import { Cell, Row, Table } from "../ui/table.tsx";
import { VisibleName } from "../ui/visible-name.tsx";

/** The times that are shown, so that an action takes what is seen. */
export type FailedSpan = Partial<Record<"since" | "until", number>>;

export function FailedGroupCard({
  group,
  span,
  when,
}: {
  group: FailedGroup;
  span: FailedSpan;
  when: TimeRange | null;
}) {
  const view = group.superseded ? ("superseded" as const) : ("failed" as const);
  const name = reasonWords(group.reason) || "unknown reason";
  const id = `group-${view}-${group.reason}`;
  return (
    <section aria-labelledby={id} className="card min-w-0">
      <header className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3 px-4 py-3.5">
        <div className="min-w-0 flex-1 basis-80">
          <h2 id={id} className="flex flex-wrap items-baseline gap-x-2 text-base">
            <span className="inline-block first-letter:uppercase">{name}</span>
            <span className={`num text-sm font-medium ${group.superseded ? "text-muted" : "text-bad"}`}>
              {formatCount(group.count)}
              {group.superseded && " superseded"}
            </span>
          </h2>
          <p className="mt-1 text-sm text-muted">{group.cause}</p>
          <p className="mt-1 text-sm">{group.remedy}</p>
        </div>
        <Whereabouts group={group} />
        <GroupActions
          filter={{ ...ALL_STREAMS, view, reason: group.reason, time: "failed", ...span }}
          name={name}
          canRetry={!group.superseded}
          canSalvage={group.salvageable > 0}
        />
      </header>
      <Table label={`Newest: ${name}`} columns={COLUMNS} grid={GRID} headingsFrom="max-sm:hidden">
        {group.sample.map((row) => (
          <Sample key={row.id} row={row} />
        ))}
      </Table>
      {group.count > group.sample.length && (
        <p className="border-t border-line px-4 py-2 text-sm">
          <Link
            href={listHref({
              view,
              reason: group.reason,
              ...(when === null ? {} : { when, time: "failed" }),
            })}
            className="text-accent hover:underline"
          >
            All {formatCount(group.count)}
          </Link>
        </p>
      )}
    </section>
  );
}

function Whereabouts({ group }: { group: FailedGroup }) {
  return (
    <dl className="grid grid-cols-[auto_auto] items-baseline gap-x-3 gap-y-0.5 text-sm">
      {(group.only_on_disk > 0 || group.lost + group.unknown === 0) && (
        <Amount name="On local disk only" bytes={group.only_on_disk} />
      )}
      {group.lost > 0 && <Amount name="Lost" bytes={group.lost} />}
      {group.unknown > 0 && <Amount name="Not in S3, file not seen" bytes={group.unknown} />}
      {group.only_copy > 0 && <Amount name="Only copy, in S3" bytes={group.only_copy} />}
      <Amount name={`In ${plural(group.open_uploads, "open upload")}`} bytes={group.in_s3} />
    </dl>
  );
}

function Amount({ name, bytes }: { name: string; bytes: number }) {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className="text-right">
        <Bytes n={bytes} />
      </dd>
    </>
  );
}

function GroupActions({
  filter,
  name,
  canRetry,
  canSalvage,
}: {
  filter: StreamFilter;
  name: string;
  canRetry: boolean;
  canSalvage: boolean;
}) {
  const act = useAct();
  const blocked = useWriteObstacle();
  return (
    <div className="flex flex-wrap gap-2">
      {canRetry && (
        <Button
          size="small"
          unavailable={blocked}
          onClick={() => act({ action: "retry", target: { filter } })}
        >
          <RotateCw aria-hidden className="size-3.5" /> Retry <span className="heard">all of {name}</span>
        </Button>
      )}
      {canSalvage && (
        <Button
          size="small"
          unavailable={blocked}
          onClick={() => act({ action: "salvage", target: { filter } })}
        >
          <LifeBuoy aria-hidden className="size-3.5" /> Salvage <span className="heard">all of {name}</span>
        </Button>
      )}
      <Button size="small" unavailable={blocked} onClick={() => act({ action: "purge", target: { filter } })}>
        <Trash2 aria-hidden className="size-3.5" /> Purge <span className="heard">all of {name}</span>
      </Button>
    </div>
  );
}

const GRID =
  "grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 sm:grid-cols-[minmax(0,2fr)_minmax(0,3fr)_6rem_7rem]";
const COLUMNS = [
  { name: "File" },
  { name: "Detail" },
  { name: "Not in S3", className: "text-right" },
  { name: "Failed", className: "text-right" },
] as const;

function Sample({ row }: { row: StreamRow }) {
  return (
    <Row grid={GRID} className="relative py-2 hover:bg-sunken/60">
      <Cell className="truncate">
        <Link
          href={`/streams/${encodeURIComponent(row.id)}`}
          className="font-medium after:absolute after:inset-0 hover:text-accent"
        >
          <VisibleName text={fileName(pathOf(row))} />
        </Link>
      </Cell>
      <Cell className="truncate text-muted max-sm:hidden">
        <VisibleName text={row.failure_detail ?? ""} />
      </Cell>
      <Cell className="text-right">
        <Bytes n={lagBytes(row)} />
      </Cell>
      <Cell className="text-right text-muted max-sm:hidden">
        <Time at={timeOf(row, "failed")} />
      </Cell>
    </Row>
  );
}
