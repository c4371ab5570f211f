/**
 * Which action a stream's state allows, derived from the table of moves; why not, in words; and what must be typed before
 * a large or destructive one runs. The same rules disable buttons and refuse plans.
 */
import { canApply } from "@sluice/core/stream/state";
import { isSuperseded, type StreamRow } from "./stream-row.ts";

/** Actions on streams; `abort_uploads` is on orphans, `prune_history` on completed streams. */
export const STREAM_ACTIONS = ["finalize", "retry", "abort", "purge"] as const;
export type StreamAction = (typeof STREAM_ACTIONS)[number];
export const PLAN_ACTIONS = [...STREAM_ACTIONS, "abort_uploads", "prune_history"] as const;
export type PlanAction = (typeof PLAN_ACTIONS)[number];

/** From so many items on, their number must be typed. */
export const TYPED_FROM_ITEMS = 50;

/** Undefined: allowed. */
export function obstacle(action: StreamAction, row: StreamRow): string | undefined {
  const { kind } = row;
  if (action === "purge") {
    return kind === "failed" || kind === undefined ? undefined : "only failed streams are purged";
  }
  if (kind === undefined) return "its record cannot be worked with: purge it";
  switch (action) {
    case "finalize":
      return canApply(kind, "settled") ? asked(row, action) : finalizeObstacle(kind);
    case "abort":
      return canApply(kind, "broke") ? asked(row, action) : "it is not live any more";
    case "retry":
      if (kind !== "failed") return "only failed streams are retried";
      if (isSuperseded(row)) return "another generation took its place";
      return asked(row, action);
  }
}

function finalizeObstacle(kind: StreamRow["kind"]): string {
  if (kind === "failed") return "it failed: retry it instead";
  return kind === "pending_completion" ? "it is being completed already" : "it is complete already";
}

/** Asked for once is enough: the owner has not come to it yet. */
function asked(row: StreamRow, action: StreamAction): string | undefined {
  return row.requested_action === action ? "asked for already" : undefined;
}

export interface TypedFacts {
  action: PlanAction;
  items: number;
  /** Open uploads whose parts S3 would forget. */
  uploads: number;
}

/** The word to type, or undefined where a click is enough. */
export function typedWord({ action, items, uploads }: TypedFacts): string | undefined {
  if (items >= TYPED_FROM_ITEMS) return String(items);
  const destroysParts =
    (action === "abort" || action === "purge" || action === "abort_uploads") && uploads > 0;
  if (!destroysParts) return undefined;
  return items === 1 ? VERBS[action] : String(items);
}

/** What the button says. */
export const VERBS: Record<PlanAction, string> = {
  finalize: "finalize",
  retry: "retry",
  abort: "abort",
  purge: "purge",
  abort_uploads: "abort",
  prune_history: "prune",
};
