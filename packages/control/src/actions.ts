/**
 * What an operator may do: which actions a stream's state allows, according to the table of moves; why not, in words;
 * and how an action must be confirmed. The same rules disable buttons, refuse plans and ask on a terminal.
 */
import { sourceStateOfFailed } from "@sluice/core/stream/source-state";
import { canApply } from "@sluice/core/stream/state";
import type { StreamRow } from "./stream-row.ts";

/** Actions on streams. */
export const STREAM_ACTIONS = ["finalize", "retry", "salvage", "abort", "purge"] as const;
export type StreamAction = (typeof STREAM_ACTIONS)[number];
/** `retry_path` applies to purged files, `abort_uploads` to orphans, `adopt` to another source's streams. */
export const PLAN_ACTIONS = [
  ...STREAM_ACTIONS,
  "retry_path",
  "abort_uploads",
  "salvage_upload",
  "adopt",
  "prune_history",
] as const;
export type PlanAction = (typeof PLAN_ACTIONS)[number];

/** Maximum number of items in one plan. */
export const MAX_PLAN_ITEMS = 10_000;
/** From this number of items on, the number must be typed. */
export const TYPED_FROM_ITEMS = 50;

type AskedRow = Pick<
  StreamRow,
  "kind" | "superseded_by" | "s3_upload_id" | "source_state" | "failure_reason"
>;

/** Undefined: allowed. `sourceAlive`: whether a worker of its source is; where that is not known, one may be. */
export function obstacle(
  action: StreamAction,
  row: AskedRow,
  { sourceAlive = true }: { sourceAlive?: boolean } = {},
): string | undefined {
  const { kind, superseded_by } = row;
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
    case "salvage":
      if (!canApply(kind, "salvaged")) return "it is complete already";
      if (!row.s3_upload_id) return "nothing of it is in S3";
      if (kind !== "failed") return sourceAlive ? "its worker is alive: nothing is lost" : undefined;
      return sourceAlive && sourceStateOfFailed(row) === "present"
        ? "its file is there: retry it"
        : undefined;
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
