/**
 * Carries a confirmed plan out on the records themselves, without any worker: exactly the planned ids, and of those only
 * what still reads as it was planned. Results are kept as they come, so that what was interrupted goes on where it stopped.
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

/** Actions that need neither a file nor S3. Every other one is asked of the workers. */
const RECORD_ACTIONS = ["purge", "prune_history"] as const;
type RecordAction = (typeof RECORD_ACTIONS)[number];

export type RecordPlan = PlanRecord & { action: RecordAction };

export interface CarryOut {
  /** Named in the marks that are left behind. */
  who: string;
  reason?: string | undefined;
  /** Between two chunks it stops; what is left stays without a result. */
  signal?: AbortSignal;
  onProgress?: (done: number, of: number) => void;
  /** Awaited before the first record is touched; not asked where all is done already. */
  onBegin?: () => Promise<void>;
}

export interface CarriedOut {
  results: ReadonlyMap<string, PlanResult>;
  /** False: everything had been done before, nothing was touched now. */
  touched: boolean;
}

export async function carryOut(context: SchemaContext, plan: RecordPlan, how: CarryOut): Promise<CarriedOut> {
  const plans = new Plans(context);
  const known = await plans.results(plan.token);
  // Results stand: an id that was purged is not looked for again.
  const left = plan.ids.filter((id) => !known.has(id));
  if (left.length > 0) {
    await how.onBegin?.();
    await STEPS[plan.action](context, plan, left, how);
  }
  return { results: await plans.results(plan.token), touched: left.length > 0 };
}

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
        // Read as the plan was: a broken number that a row leaves out is no change. The script compares the raw ones.
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

const CHANGED: PlanResult = { result: "refused", detail: "it changed after it was planned: plan again" };

function resultOf(outcome: PurgeOutcome): PlanResult {
  switch (outcome.kind) {
    case "purged":
      return outcome.upload === "none"
        ? { result: "done" }
        : { result: "done", detail: UPLOAD_WORDS[outcome.upload] };
    case "absent":
      return { result: "done", detail: "was gone already" };
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
 * Exactly the planned ids, however many others are as old; of those only what is still in the history. The moment that
 * the plan fixed is compared once more by the script that removes.
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
  absent: { result: "done", detail: "was gone already" },
  kept: { result: "refused", detail: "it is kept: it is not in the history" },
};
