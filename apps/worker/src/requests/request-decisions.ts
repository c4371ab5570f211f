/**
 * Whether this worker must carry out a request, decided from what Redis and this worker know. Pure; nothing is claimed
 * here.
 */
import { formatDuration } from "@sluice/control/units";
import { ABORT, failed, isLive, sourceStateOfFailed } from "@sluice/core";
import type { ListedStream } from "@sluice/redis-schema";

/** A destructive request expires after this time, because it may no longer be wanted. */
export const DESTRUCTIVE_MOST_MS = 10 * 60_000;
/** The owner decides from its own check; other workers leave it this much time before they answer for it. */
const OTHERS_WAIT_MS = 30_000;

export const TOO_OLD = `the request is older than ${formatDuration(DESTRUCTIVE_MOST_MS)} and was not carried out: request it again`;

const ABORTED = failed("aborted_by_operator");

export type Decision =
  | { kind: "act" }
  /** Another worker must answer, or none can yet: the item is checked again. */
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
  /** It belongs to another source that has a live worker, which answers. */
  theirs: boolean;
}

/**
 * An abort is not carried out for a stream whose source has no live worker: its file cannot be checked from here, so
 * its parts may be the only copy.
 */
function noWorkerOf(source: string): string {
  return [
    `no worker of source ${source} is running, and only such a worker can abort this stream: nothing was done, and its parts in S3 are kept`,
    `start a worker of that source, or let a worker that has its files take them over (sluice adopt --from ${source}), then request it again`,
  ].join("; ");
}

const ACT: Decision = { kind: "act" };
const PENDING: Decision = { kind: "pending" };
const NO_SUCH: Decision = { kind: "refused", detail: "the stream does not exist" };

export function judgeFinalize({ row, runsHere, theirs }: Facts): Decision {
  if (!row) return NO_SUCH;
  if (theirs) return PENDING;
  if (row.kind === "failed" || row.kind === "completed") return cannotBe("finalized", row);
  if (!runsHere) return PENDING;
  return row.requested_action === ABORT ? { kind: "refused", detail: "an abort was requested before" } : ACT;
}

/** An abort is done when the stream has ended because of it, whichever worker did it. */
export function judgeAbort(facts: Facts & { ageMs: number; source: string }): Decision {
  const { row, runsHere, theirs, ageMs } = facts;
  if (!row) return NO_SUCH;
  if (theirs) return PENDING;
  if (row.status === ABORTED)
    return { kind: "done", detail: "its parts are removed from S3; its file is not touched" };
  if (row.kind === "failed" || row.kind === "completed") return cannotBe("aborted", row);
  // The abort is recorded, so it will be carried out, however long it takes.
  if (row.requested_action === ABORT) return PENDING;
  if (ageMs > DESTRUCTIVE_MOST_MS + (runsHere ? 0 : OTHERS_WAIT_MS)) {
    const { source } = row;
    const own = runsHere || source === undefined || source === facts.source;
    return { kind: "refused", detail: own ? TOO_OLD : noWorkerOf(source) };
  }
  return runsHere ? ACT : PENDING;
}

/**
 * Only the owner may refuse the retry of a live stream: another worker may have just resumed it for this very request.
 */
export function judgeRetry(
  { row, runsHere, theirs }: Facts,
  own: { source: string; covers: boolean },
): Decision {
  if (!row) return NO_SUCH;
  if (theirs) return PENDING;
  if (row.kind === undefined) {
    const detail = "its record cannot be read: purge it; if the file still exists, it is then found again";
    return { kind: "refused", detail };
  }
  if (row.superseded_by !== undefined) {
    const detail = `another file is at its path: stream ${row.superseded_by} replaced it`;
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
  // The worker that salvaged it died before the end.
  const begun = row.kind === "s3_completed" && row.completed_by === "salvage";
  if (row.kind === "s3_completed" && !begun)
    return { kind: "refused", detail: "its object is complete already" };
  if (row.kind === undefined)
    return { kind: "refused", detail: "its record cannot be worked with: salvage its upload instead" };
  if (isLive(row.kind) && sourceAlive && !begun)
    return { kind: "refused", detail: "a worker of its source is alive: nothing is lost while it continues" };
  if (!begun && !row.s3_upload_id) return { kind: "refused", detail: "nothing of it is in S3" };
  if (rebuilding || !reaches || (sourceAlive && !own && !begun)) return PENDING;
  const gone = sourceStateOfFailed(row) !== "present";
  return row.kind !== "failed" || gone || !sourceAlive
    ? ACT
    : { kind: "refused", detail: "its file is there: retry it" };
}

/** Questions to the store need no file, so any worker with the bucket can answer for a source without workers. */
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
