/**
 * What an action would do, before it is done: exact ids, counts, bytes, and what must be typed first. The dashboard
 * keeps its plans in the same form, so that each can carry out what the other planned.
 */
import type { PlanRecord } from "@sluice/redis-schema";

export const PLANNED_ACTIONS = [
  "retry",
  "retry_path",
  "finalize",
  "abort",
  "purge",
  "prune_history",
  "abort_uploads",
  "adopt",
] as const;
export type PlannedAction = (typeof PLANNED_ACTIONS)[number];

export interface PlannedItem {
  id: string;
  /** Path or key. */
  name: string;
  bytes: number;
  /** What will become of it, in words. */
  note?: string;
}

export interface Draft {
  action: PlannedAction;
  /** A whole sentence: "Purge 412 failed streams." */
  headline: string;
  /** What is lost and what is kept, a sentence each. */
  consequences: string[];
  items: PlannedItem[];
  counts: Record<string, number>;
  bytes: number;
  options: NonNullable<PlanRecord["options"]>;
  /** What was asked for by name and is not part of the plan. */
  excluded: { id: string; why: string }[];
  /** More matched than one plan takes. */
  leftOut: number;
  confirm: Confirm;
}

/** `none`: nothing is lost and nothing is sent twice. `count`: the number of items is typed. */
export type Confirm = "none" | "yes" | "count";

/** From so many items on, their number is typed; the dashboard's rule too. */
export const TYPED_FROM_ITEMS = 50;
/** Items of one plan. */
export const MAX_PLAN_ITEMS = 10_000;

/** `destroys`: open uploads whose parts S3 would forget. */
export function confirmFor(items: number, destroys: number, least: Confirm): Confirm {
  return items >= TYPED_FROM_ITEMS || destroys > 0 ? "count" : least;
}
