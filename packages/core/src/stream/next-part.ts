/** How many bytes make the part that comes next: less than that is a tail, on local disk only until the seal. */
import { MAX_PARTS } from "./values.ts";
import { parsePlan, partBytes } from "./part-plan.ts";

/** 1 where the record does not say, or says what cannot be. */
export function nextPartBytes(partPlan: string | undefined, nextPart = 1): number {
  const plan = partPlan === undefined ? undefined : parsePlan(partPlan);
  if (plan === undefined) return 1;
  const n = plan.kind === "listed" ? Math.max(nextPart, plan.count + 1) : nextPart;
  return n >= 1 && n <= MAX_PARTS ? partBytes(plan, n) : 1;
}
