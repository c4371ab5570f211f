/**
 * Carries a plan out on the records themselves, without any worker: only streams that still read as they were planned
 * are touched. Results are kept as they come, so that what was interrupted goes on where it stopped.
 */
import {
  loadStreams,
  Plans,
  pruneHistory,
  purgeStream,
  type PlanRecord,
  type PlanResult,
  type PurgeOutcome,
  type PurgeRequest,
} from "@sluice/redis-schema";
import type { Session } from "../session.ts";

const CHUNK = 500;

export interface CarriedOut {
  results: ReadonlyMap<string, PlanResult>;
  /** False: everything had been done before, nothing was touched now. */
  touched: boolean;
}

export async function carryOut(
  session: Session,
  plan: PlanRecord,
  reason: string | undefined,
): Promise<CarriedOut> {
  const plans = new Plans(session.context);
  const known = await plans.results(plan.token);
  const left = plan.ids.filter((id) => !known.has(id));
  if (plan.action === "purge") await purge(session, plans, plan, left, reason);
  else if (left.length > 0) await prune(session, plans, plan, left);
  return { results: await plans.results(plan.token), touched: left.length > 0 };
}

/** A stream that reads differently when the plan runs is left alone. */
export function seenAs(fields: {
  status?: string | undefined;
  fence?: string | number | undefined;
  revision?: string | number | undefined;
}): string {
  return `${fields.status ?? ""}:${fields.fence ?? ""}:${fields.revision ?? ""}`;
}

async function purge(
  { context, actor, out, signal }: Session,
  plans: Plans,
  plan: PlanRecord,
  ids: readonly string[],
  reason: string | undefined,
): Promise<void> {
  const seen = plan.options?.["seen"];
  const planned = typeof seen === "object" && seen !== null && !Array.isArray(seen) ? seen : {};
  const request: PurgeRequest = {
    who: actor.who,
    upload: plan.options?.["upload"] === "keep" ? "keep" : "abort",
    ignoreFile: true,
    ...(reason === undefined ? {} : { reason }),
  };
  let done = 0;
  for await (const streams of loadStreams(context, ids, { parts: false })) {
    if (signal.aborted) return;
    const results = await Promise.all(
      streams.map(async (stream): Promise<[string, PlanResult]> => {
        const isGone = Object.keys(stream.raw).length === 0;
        if (!isGone && planned[stream.id] !== seenAs(stream.raw)) return [stream.id, CHANGED];
        return [stream.id, resultOf(await purgeStream(context, stream, request))];
      }),
    );
    await plans.record(plan.token, new Map(results));
    done += streams.length;
    out.progress(`${done} of ${ids.length} purged …`);
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

/** The plan fixed a moment; what completed before it is exactly the planned set, since nothing completes in the past. */
async function prune(
  { context, reader, signal }: Session,
  plans: Plans,
  plan: PlanRecord,
  ids: readonly string[],
): Promise<void> {
  const cutoff = Number(plan.options?.["cutoff"] ?? 0);
  for (let left = ids.length; left > 0 && !signal.aborted;) {
    const pruned = await pruneHistory(context, cutoff, Math.min(CHUNK, left));
    if (pruned === 0) break;
    left -= pruned;
  }
  for (let from = 0; from < ids.length; from += CHUNK) {
    const chunk = ids.slice(from, from + CHUNK);
    const rows = await reader.rows(chunk);
    const results = chunk.flatMap((id, at): [string, PlanResult][] => {
      if (rows[at] === undefined) return [[id, { result: "done" }]];
      return signal.aborted
        ? []
        : [[id, { result: "refused", detail: "it is kept: it is not in the history" }]];
    });
    await plans.record(plan.token, new Map(results));
  }
}
