/** Parts finish in any order; the checkpoint only ever covers an unbroken run from byte 0. */
import { partBytes, type PartPlan } from "./part-plan.ts";
import type { Part, Parts } from "./record.ts";

export interface FinishedPrefix {
  /** First part number past the run. */
  nextPart: number;
  /** Bytes the run covers. */
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

/** A part shorter than its grid size: it counts at Complete and is cut again if the file grew. */
export function isTail(part: Pick<Part, "PartNumber" | "Size">, plan: PartPlan): boolean {
  if (plan.kind === "listed" && part.PartNumber <= plan.count) return false;
  return part.Size < partBytes(plan, part.PartNumber);
}
