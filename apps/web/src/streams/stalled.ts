/** Stalled: a full part lies on disk, and for SLUICE_STALL_AFTER nothing of the stream went up. */
import { parsePlan, partBytes } from "@sluice/core/parts/part-plan";
import { kindOf } from "@sluice/core/stream/state";
import { MAX_PARTS } from "@sluice/core/stream/values";
import { lagBytes, lastActivityAt, type StreamRow } from "./stream-row.ts";

export const DEFAULT_STALL_AFTER_MS = 120_000;

export function isStalled(row: StreamRow, now: number, stallAfterMs: number): boolean {
  const kind = kindOf(row.status);
  if (kind !== "processing" && kind !== "opening" && kind !== "pending_completion") return false;
  if (now - lastActivityAt(row) < stallAfterMs) return false;
  // What waits to be sealed is due whatever its size.
  return kind === "pending_completion" || lagBytes(row) >= nextPartBytes(row);
}

function nextPartBytes(row: StreamRow): number {
  const plan = row.part_plan === undefined ? undefined : parsePlan(row.part_plan);
  if (plan === undefined) return 1;
  const n = plan.kind === "listed" ? Math.max(row.next_part, plan.count + 1) : row.next_part;
  return n > MAX_PARTS ? 1 : partBytes(plan, n);
}
