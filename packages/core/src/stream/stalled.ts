/** Stalled: data that could be uploaded is on disk, but nothing of the stream was uploaded for SLUICE_STALL_AFTER. */
import type { Kind } from "./state.ts";

export interface StallFacts {
  kind: Kind | undefined;
  /** Bytes on disk that are not in S3. */
  lagBytes: number;
  /** How many of them make a full part: fewer are a tail, which may wait for the seal. */
  bytesToFullPart: number;
  /** Time since the last progress or change of state, ms. */
  quietMs: number;
}

/** Bytes that could go up lie on disk, and nothing went up for `stallAfterMs` (ms). */
export function isStalled(
  { kind, lagBytes, bytesToFullPart, quietMs }: StallFacts,
  stallAfterMs: number,
): boolean {
  if (quietMs < stallAfterMs) return false;
  // A stream that waits to be sealed is due whatever its size.
  if (kind === "pending_completion") return true;
  return (kind === "processing" || kind === "opening") && lagBytes >= bytesToFullPart;
}
