"use client";
/** Why a stream is not final yet, or how it ended; with times as the user prefers them. */
import { describeCompletedBy, describeWaiting, type Waiting } from "@sluice/core/stream/waiting";
import { formatRate, parseTime } from "@sluice/control/units";
import type { StreamPage } from "../server/stream-detail.ts";
import { Age, Time } from "../ui/time.tsx";

export function WhyNotFinal({ page: { row, waiting, trouble } }: { page: StreamPage }) {
  if (row.kind === "failed") return row.failure_detail ?? "no reason was recorded";
  if (trouble !== undefined) return trouble;
  if (row.kind === "completed") return row.completed_by && describeCompletedBy(row.completed_by);
  if (waiting !== undefined) return <WaitingFor waiting={waiting} />;
  if (row.owner === undefined) return "no worker holds it: it waits for a worker with access to its source";
  return row.kind === "opening" ? "known; no data in S3 yet" : "in progress";
}

function WaitingFor({ waiting }: { waiting: Waiting }) {
  if (waiting.for === "idle")
    return (
      <>
        quiet for <Age since={parseTime(waiting.since)} />; complete <Time at={waiting.until} /> unless it is
        written again
        {waiting.unseen !== undefined &&
          `; whether a process still holds it open is not known: ${waiting.unseen}`}
      </>
    );
  if (waiting.for === "tidy")
    return (
      <>
        stored and verified; the local file is tidied <Time at={waiting.until} />
      </>
    );
  if (waiting.for === "parts") {
    const { until, rate, ...parts } = waiting;
    return (
      <>
        {describeWaiting(parts)}
        {rate !== undefined && `, at ${formatRate(rate)}`}
        {until !== undefined && (
          <>
            ; what is on disk is in S3 <Time at={until} /> at this rate
          </>
        )}
      </>
    );
  }
  if (waiting.for === "store") {
    const { since, ...store } = waiting;
    return (
      <>
        {describeWaiting(store)}
        {since !== undefined && (
          <>
            ; for <Age since={parseTime(since)} />
          </>
        )}
      </>
    );
  }
  return describeWaiting(waiting);
}
