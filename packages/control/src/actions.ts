/**
 * What an operator may do: which action a stream's state allows, from the table of moves; why not, in words; and what must
 * be confirmed, and how. The same rules disable buttons, refuse plans and ask on a terminal.
 */
import { sourceStateOfFailed } from "@sluice/core/stream/source-state";
import { canApply } from "@sluice/core/stream/state";
import type { StreamRow } from "./stream-row.ts";

/** Actions on streams. */
export const STREAM_ACTIONS = ["finalize", "retry", "salvage", "abort", "purge"] as const;
export type StreamAction = (typeof STREAM_ACTIONS)[number];
/** `retry_path` is on purged files, `abort_uploads` on orphans, `adopt` on another source's streams. */
export const PLAN_ACTIONS = [
  ...STREAM_ACTIONS,
  "retry_path",
  "abort_uploads",
  "salvage_upload",
  "adopt",
  "prune_history",
] as const;
export type PlanAction = (typeof PLAN_ACTIONS)[number];

/** Items of one plan. */
export const MAX_PLAN_ITEMS = 10_000;
/** From so many items on, their number is typed. */
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
  if (kind === undefined) return "its record cannot be worked with: purge it";
  switch (action) {
    case "retry":
      if (kind !== "failed") return "only failed streams are retried";
      return superseded_by === undefined ? undefined : "another generation took its place";
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

/** A click asks once: the owner has not answered yet. */
export function askedAlready(
  action: StreamAction,
  row: Pick<StreamRow, "requested_action">,
): string | undefined {
  return row.requested_action === action ? "asked for already" : undefined;
}

/** `none`: nothing is lost and nothing is sent twice. `count`: the number of items is typed. */
export type Confirm = "none" | "yes" | "count";

/** `destroys`: open uploads whose parts S3 would forget. */
export function confirmFor(items: number, destroys: number, least: Confirm): Confirm {
  return items >= TYPED_FROM_ITEMS || destroys > 0 ? "count" : least;
}

/** What a page has typed where the number is to be typed: for one item a word says more than "1". */
export function typedWord(action: PlanAction, items: number): string {
  return items === 1 ? (action.split("_")[0] ?? action) : String(items);
}
