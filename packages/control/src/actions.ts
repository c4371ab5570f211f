/**
 * What an operator may do: which actions a stream's state allows, according to the table of moves; why not, in words;
 * and how an action must be confirmed. The same rules disable buttons, refuse plans and ask on a terminal.
 */
import { canApply } from "@sluice/core/stream/state";
import type { StreamRow } from "./stream-row.ts";

/** Actions on streams. */
export const STREAM_ACTIONS = ["finalize", "retry", "abort", "purge"] as const;
export type StreamAction = (typeof STREAM_ACTIONS)[number];
/** `retry_path` applies to purged files, `abort_uploads` to orphans, `adopt` to another source's streams. */
export const PLAN_ACTIONS = [
  ...STREAM_ACTIONS,
  "retry_path",
  "abort_uploads",
  "adopt",
  "prune_history",
] as const;
export type PlanAction = (typeof PLAN_ACTIONS)[number];

/** Maximum number of items in one plan. */
export const MAX_PLAN_ITEMS = 10_000;
/** From this number of items on, the number must be typed. */
export const TYPED_FROM_ITEMS = 50;

/** Undefined: allowed. */
export function obstacle(
  action: StreamAction,
  { kind, superseded_by }: Pick<StreamRow, "kind" | "superseded_by">,
): string | undefined {
  if (action === "purge") {
    return kind === "failed" || kind === undefined ? undefined : "only failed streams are purged";
  }
  if (kind === undefined) return "its record cannot be read: purge it";
  switch (action) {
    case "retry":
      if (kind !== "failed") return "only failed streams are retried";
      return superseded_by === undefined ? undefined : "another generation replaced it";
    case "finalize":
      if (canApply(kind, "settled")) return undefined;
      if (kind === "failed") return "it failed: retry it instead";
      return kind === "pending_completion" ? "it is being completed already" : "it is complete already";
    case "abort":
      return canApply(kind, "broke") ? undefined : "it is not live";
  }
}

/** A second click has no effect: the owner has not answered yet. */
export function askedAlready(
  action: StreamAction,
  row: Pick<StreamRow, "requested_action">,
): string | undefined {
  return row.requested_action === action ? "already requested" : undefined;
}

/** `none`: nothing is lost and nothing is sent twice. `count`: the number of items must be typed. */
export type Confirm = "none" | "yes" | "count";

/** `destroys`: open uploads whose parts would be lost. */
export function confirmFor(items: number, destroys: number, least: Confirm): Confirm {
  return items >= TYPED_FROM_ITEMS || destroys > 0 ? "count" : least;
}

/** What must be typed on a page instead of the number: for one item a word says more than "1". */
export function typedWord(action: PlanAction, items: number): string {
  return items === 1 ? (action.split("_")[0] ?? action) : String(items);
}
