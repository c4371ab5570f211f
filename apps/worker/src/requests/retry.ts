/** Retries a failed stream if its record allows it. What will be sent again is known beforehand. */
import {
  OwnedStream,
  choosePlan,
  foreignBucket,
  formatPlan,
  isoNow,
  planRetry,
  streamId,
  takenKeys,
  type Part,
  type ProcessorDeps,
  type StreamRecord,
} from "@sluice/core";
import type { StreamStore, UploadToAbort } from "@sluice/redis-schema";
import { watchOf } from "../takeover/recoverer.ts";
import type { Supervisor } from "../streams/supervisor.ts";
import type { Watch } from "../files/watch/watch.ts";

export interface RetryDeps {
  processing: ProcessorDeps;
  store: StreamStore;
  supervisor: Supervisor;
  source: string;
  watches: readonly Watch[];
  /** Discards an upload whose parts cannot be used again. */
  discardUpload(upload: UploadToAbort & { s3_key: string }): Promise<void>;
}

export type Retried =
  | { kind: "done"; detail: string }
  | { kind: "refused"; detail: string }
  /** Another worker must answer, or the record is about to change: the next check gives another answer. */
  | { kind: "pending" };

/**
 * Why a failed stream is retried. The timeline names the request, so that a worker that finds it unanswered sees that
 * it is done.
 */
export type RetryReason = { kind: "retried"; requestId: string } | { kind: "recovered" };

/** For a failed stream that is known to belong to this source and to one of our watches. */
export async function retryFailed(
  id: string,
  because: RetryReason,
  deps: RetryDeps,
  stop: AbortSignal,
): Promise<Retried> {
  using held = deps.supervisor.pool.hold([id]);
  if (!held.has(id)) return { kind: "pending" };
  const claim = await deps.store.claimFailed(streamId(id));
  if (claim.kind !== "claimed") return { kind: "pending" };
  if (claim.parsed.kind !== "record") {
    await deps.store.release({ id: claim.id, fence: claim.fence });
    return {
      kind: "refused",
      detail: `its record is ${claim.parsed.kind}: purge it; if the file still exists, it is then found again`,
    };
  }
  const { record } = claim.parsed;
  const watch = record.source === deps.source ? watchOf(deps.watches, record.original_path) : undefined;
  if (!watch) {
    await deps.store.release(record);
    return { kind: "pending" };
  }
  const foreign = foreignBucket(record.s3_bucket, deps.processing.buckets);
  if (foreign !== undefined) {
    await deps.store.release(record);
    return { kind: "refused", detail: foreign };
  }
  const parts = await deps.store.parts(record.id);
  return await restart(record, parts.values(), watch, { ...deps, because }, stop);
}

async function restart(
  record: StreamRecord,
  parts: Iterable<Part>,
  watch: Watch,
  deps: RetryDeps & { because: RetryReason },
  stop: AbortSignal,
): Promise<Retried> {
  const { processing, because } = deps;
  const plan = planRetry(record);
  const held = new OwnedStream(record, parts, processing, stop);
  const { s3_bucket: bucket, s3_key: key, s3_upload_id: uploadId } = record;
  const startsOver = plan.event === "restarted";
  if (startsOver && key !== undefined && uploadId !== undefined) {
    await deps.discardUpload({
      s3_upload_id: uploadId,
      s3_bucket: bucket,
      s3_key: key,
      stream_id: record.id,
      source: record.source,
      who: processing.worker.id,
      at_utc: isoNow(processing.clock),
    });
  }
  const forgotten = {
    s3_upload_id: null,
    create_intent_at_utc: null,
    upload_aborts_at_utc: null,
    next_part: 1,
    bytes_sent: 0,
    part_plan: formatPlan(choosePlan(watch.rules.plan)),
    extends: null,
  };
  const taken = await held.tryMove(plan.event, {
    dropParts: startsOver,
    // A stream that was set apart gave up its key; a stream that has taken it keeps it.
    ...(record.set_apart === undefined || startsOver ? {} : { takeKeys: takenKeys(record) }),
    patch: {
      failure_reason: null,
      failure_detail: null,
      failed_at_utc: null,
      ...(because.kind === "recovered" ? { source_state: "present" } : {}),
      set_apart: null,
      waiting_for: null,
      requested_action: null,
      ...(plan.event === "redescribed" ? {} : { completed_by: null }),
      ...(startsOver ? forgotten : {}),
    },
    log: [
      because.kind === "retried"
        ? `retried: ${plan.words} (request ${because.requestId})`
        : `its file can be read again: ${plan.words}`,
    ],
  });
  if (taken.kind === "key_taken") {
    await deps.store.release(record);
    return { kind: "refused", detail: `stream ${taken.by} has its key by now` };
  }
  deps.supervisor.pool.start({
    because: because.kind,
    record: held.record,
    parts: held.parts.values(),
    watch,
  });
  return { kind: "done", detail: plan.words };
}
