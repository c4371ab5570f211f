/** Stalled: what could go up now lies on disk, and for SLUICE_STALL_AFTER nothing of the stream went up. */
import type { Kind } from "./state.ts";

export interface StallFacts {
  kind: Kind | undefined;
  /** Bytes on disk that are not in S3. */
  lagBytes: number;
  /** Size of the part that comes next: less than that is a tail, which waits for the seal. */
  nextPartBytes: number;
  /** ms since the last progress or change of state. */
  quietMs: number;
}

export function isStalled(
  { kind, lagBytes, nextPartBytes, quietMs }: StallFacts,
  stallAfterMs: number,
): boolean {
  if (quietMs < stallAfterMs) return false;
  // What waits to be sealed is due whatever its size.
  if (kind === "pending_completion") return true;
  return (kind === "processing" || kind === "opening") && lagBytes >= nextPartBytes;
}
