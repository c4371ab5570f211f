/** Which ranges of a file are to be sent: a pure function of the parts acknowledged, the grid and the file's size. */
import { partBytes, partOffset, type PartPlan } from "./part-plan.ts";
import { MAX_PARTS } from "./values.ts";
import type { Parts } from "./record.ts";
import { finishedPrefix, isTail } from "./finished-prefix.ts";

export interface PartRange {
  number: number;
  offset: number;
  bytes: number;
}

/**
 * In order, at most `limit`. Without `tail`, only parts that are full on the grid. A tail that was sent and has since
 * been outgrown is cut again under its number.
 */
export function pendingRanges(
  parts: Parts,
  plan: PartPlan,
  size: number,
  options: { tail: boolean; limit: number; skip?: (n: number) => boolean },
): PartRange[] {
  const ranges: PartRange[] = [];
  for (let n = firstToLookAt(parts, plan, size); n <= MAX_PARTS && ranges.length < options.limit; n += 1) {
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

function firstToLookAt(parts: Parts, plan: PartPlan, size: number): number {
  const { nextPart, bytes } = finishedPrefix(parts, plan);
  const last = parts.get(nextPart - 1);
  return last && bytes < size && isTail(last, plan) ? last.PartNumber : nextPart;
}
