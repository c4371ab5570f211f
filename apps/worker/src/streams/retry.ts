/** A failed stream goes back to work, where its record allows it to; what will be sent again is said beforehand. */
import {
  HeldStream,
  choosePlan,
  displayPath,
  foreignBucket,
  formatPlan,
  planRetry,
  streamId,
  takenKeys,
  type Part,
  type ProcessorDeps,
  type StreamRecord,
} from "@sluice/core";
import type { StreamStore } from "@sluice/redis-schema";
import { watchOf } from "./recoverer.ts";
import type { Supervisor } from "./supervisor.ts";
import type { Watch } from "./watch.ts";

export interface RetryDeps {
  processing: ProcessorDeps;
  store: StreamStore;
  supervisor: Supervisor;
  source: string;
  watches: readonly Watch[];
}

export type Retried =
  | { kind: "done"; detail: string }
  | { kind: "refused"; detail: string }
  | { kind: "elsewhere" };

export async function retryFailed(id: string, deps: RetryDeps, stop: AbortSignal): Promise<Retried> {
  const [claim] = await deps.store.claimAny([streamId(id)]);
  if (claim?.kind === "held") return { kind: "elsewhere" };
  if (claim?.kind !== "claimed")
    return { kind: "refused", detail: "there is no such stream, or it is completed" };
  if (claim.parsed.kind !== "record") {
    await deps.store.release({ id: claim.id, fence: claim.fence });
    return {
      kind: "refused",
      detail: `its record is ${claim.parsed.kind}: purge it; a file that is still there is then found again`,
    };
  }
  const { record } = claim.parsed;
  const why = refusal(record, deps);
  if (why) {
    await deps.store.release(record);
    return why;
  }
  const watch = watchOf(deps.watches, record.original_path);
  if (!watch)
    return { kind: "refused", detail: `no watch of this worker covers ${displayPath(record.original_path)}` };
  const parts = await deps.store.parts(record.id);
  return await restart(record, parts.values(), watch, deps, stop);
}

function refusal(record: StreamRecord, deps: RetryDeps): Retried | undefined {
  if (!record.status.startsWith("failed_"))
    return { kind: "refused", detail: "only failed streams can be retried" };
  if (record.superseded_by !== undefined) {
    return {
      kind: "refused",
      detail: `another file stands at its path: stream ${record.superseded_by} took its place`,
    };
  }
  const foreign = foreignBucket(record.s3_bucket, deps.processing.buckets);
  if (record.source === deps.source && foreign !== undefined) return { kind: "refused", detail: foreign };
  if (record.source !== deps.source || !watchOf(deps.watches, record.original_path))
    return { kind: "elsewhere" };
  return undefined;
}

async function restart(
  record: StreamRecord,
  parts: Iterable<Part>,
  watch: Watch,
  deps: RetryDeps,
  stop: AbortSignal,
): Promise<Retried> {
  const { processing } = deps;
  const plan = planRetry(record);
  const held = new HeldStream(record, parts, processing, stop);
  const { s3_bucket: bucket, s3_key: key, s3_upload_id: uploadId } = record;
  const anew = plan.event === "restarted";
  if (anew && key !== undefined && uploadId !== undefined) {
    await processing.gate.run(() => processing.store.abort({ bucket, key, uploadId }), stop);
  }
  const forgotten = {
    s3_upload_id: null,
    create_intent_at_utc: null,
    upload_aborts_at_utc: null,
    next_part: 1,
    bytes_sent: 0,
    part_plan: formatPlan(choosePlan(watch.rules.plan)),
  };
  const taken = await held.tryMove(plan.event, {
    dropParts: anew,
    // A stream that was set apart gave its name back; whoever took it keeps it.
    ...(record.set_apart === undefined || anew ? {} : { takeKeys: takenKeys(record) }),
    patch: {
      failure_reason: null,
      failure_detail: null,
      set_apart: null,
      waiting_for: null,
      requested_action: null,
      ...(plan.event === "redescribed" ? {} : { completed_by: null }),
      ...(anew ? forgotten : {}),
    },
    log: [`retried: ${plan.words}`],
  });
  if (taken.kind === "key_taken") {
    await deps.store.release(record);
    return { kind: "refused", detail: `stream ${taken.by} has its name by now` };
  }
  deps.supervisor.resume(held.record, held.parts.values(), watch);
  return { kind: "done", detail: plan.words };
}
