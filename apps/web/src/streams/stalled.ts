/** Stalled: a full part lies on disk, and for SLUICE_STALL_AFTER nothing of the stream went up. */
import { parsePlan, partBytes } from "@sluice/core/parts/part-plan";
import { MAX_PARTS } from "@sluice/core/stream/values";
import { lagBytes, lastActivityAt, type StreamRow } from "./stream-row.ts";

export function isStalled(row: StreamRow, now: number, stallAfterMs: number): boolean {
  if (row.kind !== "processing" && row.kind !== "opening" && row.kind !== "pending_completion") return false;
  if (now - (lastActivityAt(row) ?? now) < stallAfterMs) return false;
  // What waits to be sealed is due whatever its size.
  return row.kind === "pending_completion" || lagBytes(row) >= nextPartBytes(row);
}

function nextPartBytes(row: StreamRow): number {
  const plan = row.part_plan === undefined ? undefined : parsePlan(row.part_plan);
  if (plan === undefined) return 1;
  const next = row.next_part ?? 1;
  const n = plan.kind === "listed" ? Math.max(next, plan.count + 1) : next;
  return n > MAX_PARTS ? 1 : partBytes(plan, n);
}
