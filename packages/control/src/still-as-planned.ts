/**
 * Selects what a confirmed plan requests from the workers: only the planned streams that have not changed since they
 * were shown. Streams that changed between planning and confirming are left alone, and the plan's results say why.
 */
import { isLive, kindOf } from "@sluice/core";
import {
  KEPT,
  Plans,
  RequestQueue,
  StreamReader,
  type ListedStream,
  type PlanRecord,
  type PlanResult,
  type SchemaContext,
} from "@sluice/redis-schema";

/** The state of a stream when it was planned: as a row, never as raw fields, whose numbers may be invalid. */
export function seenAs({ status, fence, revision }: SeenRow): string {
  return `${status}:${fence ?? ""}:${revision ?? ""}`;
}

type SeenRow = Pick<ListedStream, "status" | "fence" | "revision">;

/** As stored in a plan: by id. */
export function seenOf(rows: readonly (SeenRow & { id: string })[]): Record<string, string> {
  return Object.fromEntries(rows.map((row) => [row.id, seenAs(row)]));
}

/**
 * A repeated call returns the same items: once filed, they are not compared again with what the request itself changed.
 */
export async function stillAsPlanned(context: SchemaContext, plan: PlanRecord): Promise<string[]> {
  const filed = await new RequestQueue(context).read(plan.token);
  if (filed.kind === "ok") return filed.value.items;
  const plans = new Plans(context);
  const refused = new Map(await plans.results(plan.token));
  const seen = plan.options?.seen ?? {};
  const reader = new StreamReader(context);
  const ids = plan.ids.filter((id) => !refused.has(id) && seen[id] !== undefined);
  for (let from = 0; from < ids.length; from += KEPT.pageOfRecords) {
    const chunk = ids.slice(from, from + KEPT.pageOfRecords);
    const rows = await reader.rows(chunk);
    chunk.forEach((id, at) => {
      const detail = changeSince(seen[id] ?? "", rows[at]);
      if (detail !== undefined) refused.set(id, { result: "refused", detail } satisfies PlanResult);
    });
  }
  await plans.record(plan.token, refused);
  return plan.ids.filter((id) => !refused.has(id));
}

/**
 * Undefined: unchanged. The record of a live stream changes with each part, and it opens by itself: only its stage and
 * its owner's fence count. Any other stream is static, so every change counts.
 */
export function changeSince(seen: string, row: SeenRow | undefined): string | undefined {
  if (row === undefined) return "it no longer exists: make a new plan";
  if (seenAs(row) === seen) return undefined;
  const [status = "", fence = ""] = seen.split(":");
  const [before, now] = [stageOf(status), stageOf(row.status)];
  if (before !== now)
    return `it changed after the plan was made, from ${status} to ${row.status}: make a new plan`;
  if (fence !== String(row.fence ?? ""))
    return "it has had another owner since the plan was made: make a new plan";
  const kind = kindOf(row.status);
  return kind !== undefined && isLive(kind)
    ? undefined
    : "it changed after the plan was made: make a new plan";
}

/** A stream opens by itself, so both count as one stage. */
function stageOf(status: string): string {
  return kindOf(status) === "opening" ? "processing" : status;
}
