/**
 * What S3 lists of an upload against what the checkpoint says of it. Pure: the parts whose bytes must be compared
 * with the file before they count come back as `check`.
 */
import { partBytes, partOffset, type PartPlan } from "../parts/part-plan.ts";
import type { ListedPart } from "../ports/object-store.ts";
import type { Part, Parts } from "../stream/record.ts";

export interface Reconciliation {
  /** In the checkpoint, and S3 agrees. */
  keep: Part[];
  /** S3 holds it under an ETag the checkpoint does not know: it counts once its bytes equal the file's. */
  check: { listed: ListedPart; offset: number }[];
  /** In the checkpoint, but S3 does not have it: to be sent again. */
  forget: number[];
}

export function reconcile(parts: Parts, listed: readonly ListedPart[], plan: PartPlan): Reconciliation {
  const result: Reconciliation = { keep: [], check: [], forget: [] };
  const there = new Map(listed.map((part) => [part.PartNumber, part]));
  for (const part of parts.values()) {
    const seen = there.get(part.PartNumber);
    if (seen && seen.ETag === part.ETag && seen.Size === part.Size) result.keep.push(part);
    else if (!seen) result.forget.push(part.PartNumber);
  }
  const kept = new Set(result.keep.map((part) => part.PartNumber));
  for (const part of listed) {
    if (kept.has(part.PartNumber)) continue;
    const offset = offsetOf(part, parts, plan);
    // A part that is not cut on our grid is of no use: its number is sent again.
    if (offset === undefined) result.forget.push(part.PartNumber);
    else result.check.push({ listed: part, offset });
  }
  return result;
}

/** Where a listed part begins on the grid; undefined when no part of ours has that size at that place. */
function offsetOf(part: ListedPart, parts: Parts, plan: PartPlan): number | undefined {
  if (plan.kind === "listed" && part.PartNumber <= plan.count) return parts.get(part.PartNumber)?.Offset;
  if (part.Size > partBytes(plan, part.PartNumber)) return undefined;
  return partOffset(plan, part.PartNumber);
}
