/**
 * What the checkpoint covers, and what is still to be sent. Parts finish in any order; the checkpoint only ever covers
 * a contiguous run from byte 0. What is missing is a pure function of the acknowledged parts, the part grid and the
 * file's size.
 */
import { partBytes, partOffset, type PartPlan } from "./part-plan.ts";
import { MAX_PARTS } from "./values.ts";
import type { Part, Parts } from "./record.ts";

export interface FinishedPrefix {
  /** First part number after the run. */
  nextPart: number;
  /** Bytes in the run. */
  bytes: number;
}

/** The run from part 1 in which each part starts where the one before it ends. A tail ends the run. */
export function finishedPrefix(parts: Parts, plan: PartPlan): FinishedPrefix {
  let bytes = 0;
  let n = 1;
  for (let part = parts.get(n); part && part.Offset === bytes; part = parts.get(n)) {
    bytes += part.Size;
    n += 1;
    if (isTail(part, plan)) break;
  }
  return { nextPart: n, bytes };
}

/** A part shorter than its grid size: it counts at Complete and is sent again in full if the file grew. */
export function isTail(part: Pick<Part, "PartNumber" | "Size">, plan: PartPlan): boolean {
  if (plan.kind === "listed" && part.PartNumber <= plan.count) return false;
  return part.Size < partBytes(plan, part.PartNumber);
}

/** The safeguard alone has sent something: without it the file would go up in one Put. */
export function isTailAlone(parts: Parts, plan: PartPlan): boolean {
  return parts.size === 1 && [...parts.values()].every((part) => part.Offset === 0 && isTail(part, plan));
}

export interface PartRange {
  number: number;
  offset: number;
  bytes: number;
}

/**
 * In order, at most `limit`. Without `tail`, only parts that are full on the grid. A tail that was sent before the file
 * grew is sent again under its number.
 */
export function pendingRanges(
  parts: Parts,
  plan: PartPlan,
  size: number,
  options: { tail: boolean; limit: number; skip?: (n: number) => boolean },
): PartRange[] {
  const ranges: PartRange[] = [];
  for (let n = firstCandidate(parts, plan, size); n <= MAX_PARTS && ranges.length < options.limit; n += 1) {
    const offset = partOffset(plan, n);
    if (offset >= size) break;
    const full = partBytes(plan, n);
    const bytes = Math.min(full, size - offset);
    if (bytes < full && !options.tail) break;
    const there = parts.get(n);
    if (there?.Size === bytes || options.skip?.(n)) continue;
    ranges.push({ number: n, offset, bytes });
  }
  return ranges;
}

function firstCandidate(parts: Parts, plan: PartPlan, size: number): number {
  const { nextPart, bytes } = finishedPrefix(parts, plan);
  const last = parts.get(nextPart - 1);
  return last && bytes < size && isTail(last, plan) ? last.PartNumber : nextPart;
}
