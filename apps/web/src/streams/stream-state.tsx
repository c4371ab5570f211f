"use client";
/** The state of a stream and the reason in words, and how much of it is where. */
import { failureWords } from "@sluice/control/words";
import { describeOutlook, uploadAge } from "@sluice/core/stream/upload-age";
import Link from "next/link";
import { formatBytes } from "@sluice/control/units";
import type { PartMapPage, StreamPage } from "../server/stream-detail.ts";
import { Bytes } from "../ui/bytes.tsx";
import { useNow } from "../ui/clock.ts";
import { Time } from "../ui/time.tsx";
import { ProgressBar } from "./progress-bar.tsx";
import { StatusMark } from "./status.tsx";
import {
  failureReason,
  isPartial,
  isStalled,
  isSuperseded,
  lagBytes,
  sentBytes,
  whereBytesAre,
  type StreamRow,
} from "@sluice/control/stream-row";
import { WhyNotFinal } from "./why-not-final.tsx";

export function StreamState({ page, parts }: { page: StreamPage; parts: PartMapPage | undefined }) {
  const { row } = page;
  const size = row.file_size ?? 0;
  const totals = parts?.map.totals;
  const inFlight = totals?.flight.bytes ?? 0;
  const acknowledged =
    totals === undefined ? sentBytes(row) : totals.sent.bytes + totals.again.bytes + totals.guarded.bytes;
  const percent =
    size > 0 ? Math.floor((Math.min(acknowledged, size) / size) * 100) : row.kind === "completed" ? 100 : 0;
  return (
    <section aria-label="State" className="card px-4 py-3.5">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
        <StatusMark
          status={row.status}
          superseded={isSuperseded(row)}
          givenUp={row.set_apart !== undefined}
          partial={isPartial(row)}
          stalled={isStalled(row, useNow(), page.stall_after_ms)}
        />
        <p className="min-w-0 text-sm [overflow-wrap:anywhere]" data-testid="why">
          <WhyNotFinal page={page} />
        </p>
      </div>
      <Remedy row={row} />
      {page.ends === undefined ? <AbortForecast row={row} /> : <OnlyCopyEnds {...page.ends} />}
      <div className="num mt-3.5 mb-1.5 flex justify-between text-sm">
        <span>
          <Bytes n={acknowledged} className="font-medium" /> <span className="text-muted">of</span>{" "}
          <Bytes n={size} />
        </span>
        <span className="font-medium">{percent} %</span>
      </div>
      <ProgressBar sent={acknowledged} inFlight={inFlight} size={size} label="In S3" className="h-2.5" />
      <dl className="mt-2.5 flex flex-wrap gap-x-6 gap-y-1 text-sm">
        <Share
          name="Acknowledged"
          bytes={acknowledged - (totals?.guarded.bytes ?? 0)}
          swatch="bg-part-sent"
        />
        {totals !== undefined && totals.guarded.bytes > 0 && (
          <Share name="Safeguarded tail" bytes={totals.guarded.bytes} swatch="bg-part-guarded" />
        )}
        <Share name="In flight" bytes={inFlight} swatch="bg-part-flight" />
        <NotInS3 row={row} disk={totals?.disk.bytes ?? lagBytes(row)} tail={totals?.tail.bytes ?? 0} />
      </dl>
    </section>
  );
}

/** On disk only as far as the file is there: what went with it is lost, and the upload is then the only copy. */
function NotInS3({ row, disk, tail }: { row: StreamRow; disk: number; tail: number }) {
  const { lost, unknown, onlyCopy } = whereBytesAre(row);
  const partial = row.completed_by === "salvage" ? (row.last_known_size ?? 0) - (row.file_size ?? 0) : 0;
  if (lost + unknown + onlyCopy === 0 && partial <= 0)
    return (
      <>
        <Share name="On disk only" bytes={disk} swatch="bg-part-disk" />
        <Share name="Tail, on disk until sealed" bytes={tail} swatch="bg-part-tail" />
      </>
    );
  return (
    <>
      {lost + partial > 0 && <Share name="Lost" bytes={lost + partial} swatch="bg-part-disk" />}
      {unknown > 0 && <Share name="Not in S3, file not seen" bytes={unknown} swatch="bg-part-disk" />}
      {onlyCopy > 0 && <Share name="Only copy, in S3" bytes={onlyCopy} swatch="bg-part-sent" />}
    </>
  );
}

function Share({ name, bytes, swatch }: { name: string; bytes: number; swatch: string }) {
  return (
    <div className="flex items-baseline gap-2">
      <dt className="flex items-baseline gap-2 text-muted">
        <span aria-hidden className={`swatch size-2.5 rounded-full ${swatch}`} /> {name}
      </dt>
      <dd className="num font-medium whitespace-nowrap">{formatBytes(bytes)}</dd>
    </div>
  );
}

/** Shown once there is a reason to act; until then the date is listed among the facts. */
function AbortForecast({ row }: { row: StreamRow }) {
  const age = uploadAge(row, useNow());
  if (age === undefined || age.outlook === "ample") return null;
  return (
    <p className="mt-2 text-sm text-warn" data-testid="abort-forecast">
      The store aborts this upload <Time at={age.abortsAt} />: {describeOutlook(age.outlook)}.
    </p>
  );
}

/** Nothing can be sent again: the file is gone, or nobody sees it. */
function OnlyCopyEnds({ endsAt, by }: NonNullable<StreamPage["ends"]>) {
  const now = useNow();
  return (
    <p className="mt-2 text-sm text-warn" data-testid="only-copy-ends">
      {by === "store" ? "The store aborts this upload" : "A worker ends this upload"} <Time at={endsAt} />
      {by === "retention" && " (SLUICE_FAILED_UPLOAD_RETENTION)"}
      {endsAt > now
        ? ". It is the only copy of its bytes that is known: salvage it before then."
        : ": its time is over, and what it held may be gone."}
    </p>
  );
}

function Remedy({ row }: { row: StreamRow }) {
  const reason = failureReason(row);
  if (reason === undefined) return null;
  const { cause, remedy } = failureWords(reason);
  return (
    <p className="mt-2 text-sm">
      <span className="text-muted">{cause}</span> {remedy}
      {row.superseded_by && (
        <>
          {" "}
          <Link href={`/streams/${encodeURIComponent(row.superseded_by)}`} className="text-accent underline">
            The stream that replaced it
          </Link>
        </>
      )}
    </p>
  );
}
