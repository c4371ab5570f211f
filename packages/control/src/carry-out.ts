/**
 * Carries out a confirmed plan on the records themselves, without any worker: exactly the planned ids, and of those
 * only the ones that have not changed since. Results are stored as they come, so that an interrupted plan resumes where
 * it stopped.
 */
import {
  KEPT,
  listedStream,
  loadStreams,
  Plans,
  pruneStreams,
  purgeStream,
  type PlanRecord,
  type PlanResult,
  type PruneOutcome,
  type PurgeOutcome,
  type PurgeRequest,
  type SchemaContext,
} from "@sluice/redis-schema";
import { seenAs } from "./still-as-planned.ts";

/** Actions that need neither a file nor S3. Every other action is requested from the workers. */
const RECORD_ACTIONS = ["purge", "prune_history"] as const;
type RecordAction = (typeof RECORD_ACTIONS)[number];

export type RecordPlan = PlanRecord & { action: RecordAction };

export interface CarryOut {
  /** Recorded in the marks that are left behind. */
  who: string;
  reason?: string | undefined;
  /** Stops between two chunks; the remaining items have no result. */
  signal?: AbortSignal;
  onProgress?: (done: number, of: number) => void;
  /** Awaited before the first record is changed; not called if everything is done already. */
  onBegin?: () => Promise<void>;
}

export interface CarriedOut {
  results: ReadonlyMap<string, PlanResult>;
  /** False: everything had been done before, nothing was changed now. */
  touched: boolean;
}

/**
 * Carries out a plan that changes records alone, item by item. A refused item stops no other; each has its result.
 * Rejects with CheckpointError if Redis does not answer.
 */
export async function carryOut(context: SchemaContext, plan: RecordPlan, how: CarryOut): Promise<CarriedOut> {
  const plans = new Plans(context);
  const known = await plans.results(plan.token);
  // Existing results count: a purged id is not looked up again.
  const left = plan.ids.filter((id) => !known.has(id));
  if (left.length > 0) {
    await how.onBegin?.();
    await STEPS[plan.action](context, plan, left, how);
  }
  return { results: await plans.results(plan.token), touched: left.length > 0 };
}

/** Whether the plan changes records alone, so that no worker is asked. */
export function isRecordPlan(plan: PlanRecord): plan is RecordPlan {
  return RECORD_ACTIONS.some((known) => known === plan.action);
}

type Step = (
  context: SchemaContext,
  plan: PlanRecord,
  ids: readonly string[],
  how: CarryOut,
) => Promise<void>;

const STEPS: Record<RecordAction, Step> = { purge, prune_history: prune };

async function purge(
  context: SchemaContext,
  plan: PlanRecord,
  ids: readonly string[],
  { who, reason, signal, onProgress }: CarryOut,
): Promise<void> {
  const plans = new Plans(context);
  const planned = plan.options?.seen ?? {};
  const kept = new Set(plan.options?.keep_uploads);
  const request: PurgeRequest = {
    who,
    upload: plan.options?.upload ?? "abort",
    ignoreFile: true,
    ...(reason === undefined ? {} : { reason }),
  };
  let done = 0;
  for await (const streams of loadStreams(context, ids, { parts: false })) {
    if (signal?.aborted) return;
    const results = await Promise.all(
      streams.map(async (stream): Promise<[string, PlanResult]> => {
        // Read in the same way as for the plan: a broken number that a row leaves out is no change. The script compares
        // raw values.
        const row = listedStream(stream.id, stream.raw);
        if (row !== undefined && planned[stream.id] !== seenAs(row)) return [stream.id, CHANGED];
        const asked = kept.has(stream.id) ? { ...request, upload: "keep" as const } : request;
        return [stream.id, resultOf(await purgeStream(context, stream, asked))];
      }),
    );
    await plans.record(plan.token, new Map(results));
    done += streams.length;
    onProgress?.(done, ids.length);
  }
}

const CHANGED: PlanResult = {
  result: "refused",
  detail: "it changed after the plan was made: make a new plan",
};

function resultOf(outcome: PurgeOutcome): PlanResult {
  switch (outcome.kind) {
    case "purged":
      return outcome.upload === "none"
        ? { result: "done" }
        : { result: "done", detail: UPLOAD_WORDS[outcome.upload] };
    case "absent":
      return { result: "done", detail: "no longer existed" };
    case "changed":
      return CHANGED;
    case "refused":
      return { result: "refused", detail: `it is ${outcome.status || "in no failed state"} now` };
  }
}

const UPLOAD_WORDS = {
  to_abort: "its upload is left to a worker to abort",
  kept: "its upload is kept",
} as const;

/**
 * Removes exactly the planned ids, however many others are as old, and of those only the ones that are still in the
 * history. The script compares once more with the time that the plan fixed.
 */
async function prune(
  context: SchemaContext,
  plan: PlanRecord,
  ids: readonly string[],
  { signal, onProgress }: CarryOut,
): Promise<void> {
  const plans = new Plans(context);
  const cutoff = plan.options?.cutoff ?? 0;
  for (let from = 0; from < ids.length && !signal?.aborted; from += KEPT.pageOfRecords) {
    const chunk = ids.slice(from, from + KEPT.pageOfRecords);
    const outcomes = await pruneStreams(context, chunk, cutoff);
    await plans.record(
      plan.token,
      new Map(chunk.map((id, at) => [id, PRUNE_RESULTS[outcomes[at] ?? "absent"]])),
    );
    onProgress?.(from + chunk.length, ids.length);
  }
}

const PRUNE_RESULTS: Record<PruneOutcome, PlanResult> = {
  pruned: { result: "done" },
  absent: { result: "done", detail: "no longer existed" },
  kept: { result: "refused", detail: "kept, because it is not in the history" },
};
