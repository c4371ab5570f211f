/** Whether a request is ours to carry out, decided from what Redis and this worker know. Pure; nothing is claimed here. */
import { formatDuration } from "@sluice/control/units";
import { ABORT, failed, isLive, sourceStateOfFailed } from "@sluice/core";
import type { ListedStream } from "@sluice/redis-schema";

/** What destroys something is done only while it is known to be meant. */
export const DESTRUCTIVE_MOST_MS = 10 * 60_000;
/** The owner judges by its own look; others leave it this much time before they speak for it. */
const OTHERS_WAIT_MS = 30_000;

export const TOO_OLD = `it was asked more than ${formatDuration(DESTRUCTIVE_MOST_MS)} ago and was not done: too old, ask again`;

const ABORTED = failed("aborted_by_operator");

export type Decision =
  | { kind: "act" }
  /** Another worker's, or nobody's yet: looked at again. */
  | { kind: "pending" }
  | { kind: "done"; detail: string }
  | { kind: "refused"; detail: string };

type Row = Pick<
  ListedStream,
  "kind" | "status" | "source" | "superseded_by" | "requested_action" | "original_path"
>;

export interface Facts {
  /** Undefined: nothing is stored under the id. */
  row: Row | undefined;
  /** Its processor runs in this worker. */
  runsHere: boolean;
  /** It is of another source that has a living worker: whatever there is to say, that one says it. */
  theirs: boolean;
}

/**
 * An abort of a stream whose source has no living worker is left undone: its file cannot be seen from here, so its parts
 * may be the only copy there is.
 */
function noWorkerOf(source: string): string {
  return [
    `no worker of source ${source} is running, and only one of them can abort this stream: nothing was done, its parts in S3 are kept`,
    `start a worker of that source, or let one that reaches its files take them over (sluice adopt --from ${source}), then ask again`,
  ].join("; ");
}

const ACT: Decision = { kind: "act" };
const PENDING: Decision = { kind: "pending" };
const NO_SUCH: Decision = { kind: "refused", detail: "there is no such stream" };

export function judgeFinalize({ row, runsHere, theirs }: Facts): Decision {
  if (!row) return NO_SUCH;
  if (theirs) return PENDING;
  if (row.kind === "failed" || row.kind === "completed") return cannotBe("finalized", row);
  if (!runsHere) return PENDING;
  return row.requested_action === ABORT ? { kind: "refused", detail: "an abort was asked for before" } : ACT;
}

/** An abort is done when the stream has ended by it, whoever saw to that. */
export function judgeAbort(facts: Facts & { ageMs: number; source: string }): Decision {
  const { row, runsHere, theirs, ageMs } = facts;
  if (!row) return NO_SUCH;
  if (theirs) return PENDING;
  if (row.status === ABORTED)
    return { kind: "done", detail: "its parts are removed from S3; its file is not touched" };
  if (row.kind === "failed" || row.kind === "completed") return cannotBe("aborted", row);
  // The wish is in the record: it will be done, however long it takes.
  if (row.requested_action === ABORT) return PENDING;
  if (ageMs > DESTRUCTIVE_MOST_MS + (runsHere ? 0 : OTHERS_WAIT_MS)) {
    const { source } = row;
    const own = runsHere || source === undefined || source === facts.source;
    return { kind: "refused", detail: own ? TOO_OLD : noWorkerOf(source) };
  }
  return runsHere ? ACT : PENDING;
}

/**
 * A live stream's retry is its owner's to refuse: another worker may have just taken it back to work for this very
 * request.
 */
export function judgeRetry(
  { row, runsHere, theirs }: Facts,
  own: { source: string; covers: boolean },
): Decision {
  if (!row) return NO_SUCH;
  if (theirs) return PENDING;
  if (row.kind === undefined) {
    const detail =
      "its record cannot be worked with: purge it; a file that is still there is then found again";
    return { kind: "refused", detail };
  }
  if (row.superseded_by !== undefined) {
    const detail = `another file stands at its path: stream ${row.superseded_by} took its place`;
    return { kind: "refused", detail };
  }
  if (row.kind === "failed") return row.source === own.source && own.covers ? ACT : PENDING;
  if (isLive(row.kind) && !runsHere) return PENDING;
  return { kind: "refused", detail: `only failed streams can be retried: it is ${row.status}` };
}

interface SalvageFacts {
  row:
    | (Row & Pick<ListedStream, "s3_upload_id" | "source_state" | "failure_reason" | "completed_by">)
    | undefined;
  /** It is of this worker's source. */
  own: boolean;
  /** A worker of its source has a lease. */
  sourceAlive: boolean;
  /** This worker was given its bucket. */
  reaches: boolean;
  /** Redis is being rebuilt from S3. */
  rebuilding: boolean;
}

/** Never while an owner is alive: a slow worker is no lost one, and what it still has on disk is more than S3 holds. */
export function judgeSalvage({ row, own, sourceAlive, reaches, rebuilding }: SalvageFacts): Decision {
  if (!row) return NO_SUCH;
  if (row.kind === "completed")
    return row.completed_by === "salvage"
      ? { kind: "done", detail: "it is salvaged" }
      : { kind: "refused", detail: "it is complete already" };
  // Whoever salvaged it died before the end.
  const begun = row.kind === "s3_completed" && row.completed_by === "salvage";
  if (row.kind === "s3_completed" && !begun)
    return { kind: "refused", detail: "its object is complete already" };
  if (row.kind === undefined)
    return { kind: "refused", detail: "its record cannot be worked with: salvage its upload instead" };
  if (isLive(row.kind) && sourceAlive && !begun)
    return { kind: "refused", detail: "a worker of its source is alive: nothing is lost while it goes on" };
  if (!begun && !row.s3_upload_id) return { kind: "refused", detail: "nothing of it is in S3" };
  if (rebuilding || !reaches || (sourceAlive && !own && !begun)) return PENDING;
  const gone = sourceStateOfFailed(row) !== "present";
  return row.kind !== "failed" || gone || !sourceAlive
    ? ACT
    : { kind: "refused", detail: "its file is there: retry it" };
}

/** Questions to the store need no file: any worker with the bucket stands in for a source that has none. */
export function mayAsk(
  stream: { source: string; bucket: string },
  own: { source: string; bucket: string },
  sourceAlive: boolean,
): boolean {
  return stream.source === own.source || (stream.bucket === own.bucket && !sourceAlive);
}

function cannotBe(what: string, { status }: Row): Decision {
  return { kind: "refused", detail: `a stream in ${status} cannot be ${what}` };
}
