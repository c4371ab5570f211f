"use client";
/** One source with its watches and workers, or one watch: its own risk, throughput, failures and disk. */
import Link from "next/link";
import type { ReactNode } from "react";
import { formatCount, plural } from "@sluice/control/units";
import { SourceThroughputCard } from "../overview/throughput-card.tsx";
import type { Place, SourceView, WatchView } from "../server/sources/places.ts";
import { listHref } from "../streams/list-params.ts";
import { Bytes, Rate } from "../ui/bytes.tsx";
import { buttonLook } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { Fact } from "../ui/fact.tsx";
import { PageTitle } from "../ui/page-title.tsx";
import { Age, Time } from "../ui/time.tsx";
import { VisibleName } from "../ui/visible-name.tsx";
import { workerHref } from "../workers/worker-href.ts";
import { SourceState, type Shown } from "./place-state.tsx";
import { DiskFree, WatchState, WatchTable } from "./source-table.tsx";
import { sourceHref } from "./source-params.ts";

const LINK = "inline-block min-h-6 underline decoration-line-strong underline-offset-2 hover:text-accent";

export function SourcePage({ source, shown }: { source: SourceView; shown: Shown }) {
  const { at } = shown;
  const filter = { source: source.source };
  return (
    <>
      <PageTitle title={`Source ${source.source || "unknown"}`} actions={<StreamsLink filter={filter} />}>
        <SourceState source={source} shown={shown} because />
      </PageTitle>
      <div className="flex flex-col gap-4">
        <Figures place={source} filter={filter} disk={<DiskFree disk={source.disk} />} />
        <Card title={plural(source.watches.length, "watch", "watches")} flush>
          <WatchTable watches={source.watches} />
        </Card>
        <Workers workers={source.workers} />
        <SourceThroughputCard source={source.source} now={{ at, ...ratesOf(source) }} />
      </div>
    </>
  );
}

export function WatchPage({ source, watch, shown }: { source: SourceView; watch: WatchView; shown: Shown }) {
  const { at } = shown;
  const { record } = watch;
  const filter = { source: source.source, watch: watch.watch };
  return (
    <>
      <PageTitle title={`Watch ${watch.watch || "without a name"}`} actions={<StreamsLink filter={filter} />}>
        <WatchState watch={watch} />, source{" "}
        <Link href={sourceHref(source.source)} className={LINK}>
          {source.source || "unknown"}
        </Link>
        {record !== undefined && (
          <>
            , <VisibleName text={record.root} />
          </>
        )}
      </PageTitle>
      <div className="flex flex-col gap-4">
        {record?.state === "offline" && (
          <p className="rounded-md bg-bad-soft px-3 py-2 text-sm">
            Offline since <Time at={record.since_utc} />: {record.state_detail ?? "the volume is missing"}.
            Its streams wait until it is back.
          </p>
        )}
        <Figures place={watch} filter={filter} disk={<DiskFree disk={watch.disk} />} />
        <Workers workers={source.workers} />
        <SourceThroughputCard source={source.source} watch={watch.watch} now={{ at, ...ratesOf(watch) }} />
      </div>
    </>
  );
}

function ratesOf({ source, rate_in, rate_out, lag_bytes }: Place) {
  return { rate_in, rate_out, lag_by_source: { [source]: lag_bytes } };
}

type Filter = Parameters<typeof listHref>[0];

function StreamsLink({ filter }: { filter: Filter }) {
  return (
    <Link href={listHref(filter)} className={buttonLook()}>
      Its streams
    </Link>
  );
}

function Figures({ place, filter, disk }: { place: Place; filter: Filter; disk: ReactNode }) {
  const { hour, oldest } = place;
  return (
    <Card title="Now">
      <dl
        className="grid grid-cols-2 gap-x-6 gap-y-2.5 text-sm sm:grid-cols-3 lg:grid-cols-5"
        data-testid="place"
      >
        <Fact name="Not in S3">
          <Bytes n={place.lag_bytes} />
        </Fact>
        <Fact name="Not protected">
          <Bytes n={place.unprotected_bytes} />
        </Fact>
        <Fact name="Oldest of these">
          {oldest?.least && "at least "}
          <Age since={oldest?.at} />
        </Fact>
        <Fact name="Written to disk">
          <Rate n={place.rate_in} />
        </Fact>
        <Fact name="To S3">
          <Rate n={place.rate_out} />
        </Fact>
        <Fact name="Streams live">
          <Link href={listHref({ ...filter, view: "active" })} className={LINK}>
            {formatCount(place.live)}
          </Link>
          {place.stalled > 0 && <span className="text-bad">, {formatCount(place.stalled)} stalled</span>}
        </Fact>
        <Fact name="Failed">
          <Link href={listHref({ ...filter, view: "failed" })} className={LINK}>
            {formatCount(place.failed)}
          </Link>
          {place.failed_bytes > 0 && (
            <>
              , <Bytes n={place.failed_bytes} /> not in S3
            </>
          )}
        </Fact>
        <Fact name="Sent, last hour">
          <Bytes n={hour.bytes_sent} />
        </Fact>
        <Fact name="Completed, last hour">{formatCount(hour.completed)}</Fact>
        <Fact name="Disk free">{disk}</Fact>
      </dl>
    </Card>
  );
}

const STATE_WORDS = { ok: "working", blocked: "blocked", draining: "draining", gone: "gone" } as const;

function Workers({ workers }: { workers: SourceView["workers"] }) {
  return (
    <Card title="Workers">
      {workers.length === 0 ? (
        <p className="text-sm text-bad">No worker is known: nobody looks at its files.</p>
      ) : (
        <ul className="space-y-1 text-sm">
          {workers.map(({ id, host, state }) => (
            <li key={id} className="[overflow-wrap:anywhere]">
              <Link href={workerHref(id)} className={LINK}>
                {id}
              </Link>{" "}
              <span className={state === "ok" ? "text-muted" : "text-bad"}>{STATE_WORDS[state]}</span>
              {host !== undefined && <span className="text-muted"> on {host}</span>}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
