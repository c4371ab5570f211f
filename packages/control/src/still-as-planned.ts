/**
 * What a confirmed plan asks of the workers: of the planned streams only those that still are as they were shown. What
 * changed between planning and confirming is left alone, and the plan's results say why.
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

/** How a stream read when it was planned: as a row, never as raw fields, whose numbers may be none. */
export function seenAs({ status, fence, revision }: SeenRow): string {
  return `${status}:${fence ?? ""}:${revision ?? ""}`;
}

type SeenRow = Pick<ListedStream, "status" | "fence" | "revision">;

/** As a plan keeps it: by id. */
export function seenOf(rows: readonly (SeenRow & { id: string })[]): Record<string, string> {
  return Object.fromEntries(rows.map((row) => [row.id, seenAs(row)]));
}

/** Asked again it gives the same items: what was filed once is not judged anew by what the request itself changed. */
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
 * Undefined: it is as it was seen. A live stream's record changes with each part, and it opens by itself: only its
 * stage and its owner's fence count. Any other stands still, so that any change of it counts.
 */
export function changeSince(seen: string, row: SeenRow | undefined): string | undefined {
  if (row === undefined) return "it no longer exists: plan again";
  if (seenAs(row) === seen) return undefined;
  const [status = "", fence = ""] = seen.split(":");
  const [before, now] = [stageOf(status), stageOf(row.status)];
  if (before !== now)
    return `it changed after it was planned: it was ${status}, it is ${row.status}: plan again`;
  if (fence !== String(row.fence ?? "")) return "it changed hands after it was planned: plan again";
  const kind = kindOf(row.status);
  return kind !== undefined && isLive(kind) ? undefined : "it changed after it was planned: plan again";
}

/** A stream opens by itself. */
function stageOf(status: string): string {
  return kindOf(status) === "opening" ? "processing" : status;
}
