/**
 * What S3 lists of an upload against what the checkpoint says of it. Pure: the parts whose bytes must be compared
 * with the file before they count come back as `check`.
 */
import { partBytes, partOffset, type PartPlan } from "../stream/part-plan.ts";
import type { ListedPart } from "../ports/object-store.ts";
import { MAX_PARTS } from "../stream/values.ts";
import type { Part, Parts } from "../stream/record.ts";

export interface Reconciliation {
  /** In the checkpoint, and S3 agrees. */
  keep: Part[];
  /** S3 holds it under an ETag the checkpoint does not know: it counts once its bytes equal the file's. */
  check: { listed: ListedPart; offset: number }[];
  /** Numbers of parts in the checkpoint that S3 does not have as such, and that `check` does not ask about. */
  forget: number[];
}

export function reconcile(parts: Parts, listed: readonly ListedPart[], plan: PartPlan): Reconciliation {
  const result: Reconciliation = { keep: [], check: [], forget: [] };
  const there = new Map(listed.map((part) => [part.PartNumber, part]));
  for (const part of parts.values()) {
    const seen = there.get(part.PartNumber);
    if (seen && seen.ETag === part.ETag && seen.Size === part.Size) result.keep.push(part);
  }
  const kept = new Set(result.keep.map((part) => part.PartNumber));
  for (const part of listed) {
    const offset = kept.has(part.PartNumber) ? undefined : offsetOf(part, parts, plan);
    if (offset !== undefined) result.check.push({ listed: part, offset });
  }
  const asked = new Set(result.check.map(({ listed: part }) => part.PartNumber));
  result.forget = [...parts.keys()].filter((n) => !kept.has(n) && !asked.has(n));
  return result;
}

/** Where a listed part begins on the grid; undefined when no part of ours has that size at that place. */
function offsetOf(part: ListedPart, parts: Parts, plan: PartPlan): number | undefined {
  const { PartNumber: n, Size: size } = part;
  if (n < 1 || n > MAX_PARTS || size === 0) return undefined;
  if (plan.kind === "listed" && n <= plan.count) {
    const known = parts.get(n);
    return known?.Size === size ? known.Offset : undefined;
  }
  return size > partBytes(plan, n) ? undefined : partOffset(plan, n);
}
