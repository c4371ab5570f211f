/** What of a stream's lag can go up now, and what is its tail: less than a part, on local disk only until the seal. */
import { parsePlan, partBytes } from "@sluice/core/parts/part-plan";
import { MAX_PARTS } from "@sluice/core/stream/values";
import { lagBytes, type StreamRow } from "./stream-row.ts";

/** Size of the part that comes next; 1 where the record does not say. */
export function nextPartBytes(row: StreamRow): number {
  const plan = row.part_plan === undefined ? undefined : parsePlan(row.part_plan);
  if (plan === undefined) return 1;
  const next = row.next_part ?? 1;
  const n = plan.kind === "listed" ? Math.max(next, plan.count + 1) : next;
  return n > MAX_PARTS ? 1 : partBytes(plan, n);
}

/** Bytes past the last full part. Parts of a lag that crosses a step of the plan are counted at the next part's size. */
export function tailBytes(row: StreamRow): number {
  return lagBytes(row) % nextPartBytes(row);
}
