/** Stalled: a full part lies on disk, and for SLUICE_STALL_AFTER nothing of the stream went up. */
import { nextPartBytes } from "./next-part.ts";
import { lagBytes, lastActivityAt, type StreamRow } from "./stream-row.ts";

export function isStalled(row: StreamRow, now: number, stallAfterMs: number): boolean {
  if (row.kind !== "processing" && row.kind !== "opening" && row.kind !== "pending_completion") return false;
  if (now - (lastActivityAt(row) ?? now) < stallAfterMs) return false;
  // What waits to be sealed is due whatever its size.
  return row.kind === "pending_completion" || lagBytes(row) >= nextPartBytes(row);
}
