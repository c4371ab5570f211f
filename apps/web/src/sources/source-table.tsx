"use client";
/** One row for each source, or for each watch of one, with the numbers that matter first; a row leads to its page. */
import Link from "next/link";
import { isUrgent, spaceWords, type Disk } from "@sluice/control/disk-space";
import { formatCount, formatDuration } from "@sluice/control/units";
import type { SourceSummary } from "../server/overview/overview.ts";
import type { Place, WatchView } from "../server/sources/places.ts";
import { Bytes, Rate } from "../ui/bytes.tsx";
import { Cell, Row, Table } from "../ui/table.tsx";
import { VisibleName } from "../ui/visible-name.tsx";
import { SourceState, type Shown } from "./place-state.tsx";
import { sourceHref } from "./source-params.ts";

const GRID =
  "grid grid-cols-2 gap-x-5 gap-y-1 md:grid-cols-[minmax(0,2fr)_minmax(0,1.5fr)_6rem_6rem_6rem_4.5rem_minmax(0,1.4fr)]";
const COLUMNS = (first: string) =>
  [
    { name: first },
    { name: "State" },
    { name: "Not in S3", className: "text-right" },
    { name: "Not protected", className: "text-right" },
    { name: "To S3", className: "text-right" },
    { name: "Failed", className: "text-right" },
    { name: "Disk free" },
  ] as const;

export function SourceTable({ sources, shown }: { sources: readonly SourceSummary[]; shown: Shown }) {
  return (
    <Table label="Sources" columns={COLUMNS("Source")} grid={GRID}>
      {sources.map((source) => (
        <PlaceRow
          key={source.source}
          href={sourceHref(source.source)}
          name={source.source || "an unknown source"}
          place={source}
          disk={source.disk}
          state={<SourceState source={source} shown={shown} />}
        />
      ))}
    </Table>
  );
}

export function WatchTable({ watches }: { watches: readonly WatchView[] }) {
  return (
    <Table label="Watches" columns={COLUMNS("Watch")} grid={GRID}>
      {watches.map((watch) => (
        <PlaceRow
          key={watch.watch}
          href={sourceHref(watch.source, watch.watch)}
          name={watch.watch || "watch"}
          place={watch}
          disk={watch.disk}
          state={<WatchState watch={watch} />}
        />
      ))}
    </Table>
  );
}

export function WatchState({ watch: { record } }: { watch: WatchView }) {
  if (record === undefined) return <span className="text-muted">not seen yet</span>;
  return record.state === "offline" ? (
    <span className="font-medium text-bad">Offline</span>
  ) : (
    <span className="text-good">Watched</span>
  );
}

function PlaceRow({
  href,
  name,
  place,
  disk,
  state,
}: {
  href: string;
  name: string;
  place: Pick<Place, "lag_bytes" | "unprotected_bytes" | "rate_out" | "failed">;
  disk: Disk | undefined;
  state: React.ReactNode;
}) {
  return (
    <Row grid={GRID} className="relative py-2.5 hover:bg-sunken/60">
      <Cell>
        <Link href={href} className="font-medium after:absolute after:inset-0 hover:text-accent">
          <VisibleName text={name} />
        </Link>
      </Cell>
      <Cell className="max-md:text-right">{state}</Cell>
      <Figure name="Not in S3">
        <Bytes n={place.lag_bytes} />
      </Figure>
      <Figure name="Not protected">
        <Bytes n={place.unprotected_bytes} />
      </Figure>
      <Figure name="To S3">
        <Rate n={place.rate_out} />
      </Figure>
      <Figure name="Failed">
        <span className={place.failed > 0 ? "font-semibold text-bad" : ""}>{formatCount(place.failed)}</span>
      </Figure>
      <Cell className="max-md:col-span-2">
        <span className="text-xs text-muted md:hidden">Disk free </span>
        <DiskFree disk={disk} />
      </Cell>
    </Row>
  );
}

function Figure({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <Cell className="md:text-right">
      <span className="text-xs text-muted md:hidden">{name} </span>
      {children}
    </Cell>
  );
}

export function DiskFree({ disk }: { disk: Disk | undefined }) {
  if (disk === undefined) return <span className="text-muted">not known</span>;
  const warned = disk.filling_since_utc !== undefined;
  return (
    <span
      className={`num ${warned ? `font-semibold ${isUrgent(disk) ? "text-bad" : "text-warn"}` : ""}`}
      title={`Watch ${disk.watch} on ${disk.host}: ${spaceWords(disk)}`}
    >
      <Bytes n={disk.free_bytes} />
      {disk.full_in_ms !== undefined && `, full in ${formatDuration(disk.full_in_ms)}`}
    </span>
  );
}
