/** A plan as shown before it is carried out, and its results. Shared by server and browser. */
import type { PlanAction } from "@sluice/control/actions";

export interface PlanView {
  token: string;
  action: PlanAction;
  /** "Purge 3 failed streams" */
  title: string;
  /** What is lost and what is kept, one sentence each. */
  facts: string[];
  /** The exact number of items; the plan contains their ids. */
  items: number;
  /** The first few, as examples. */
  sample: { id: string; name: string; bytes: number }[];
  counts: Record<string, number>;
  /** Matching items beyond the limit of one plan. */
  left_out: number;
  /** Matching items whose state does not allow the action: how many, by reason. */
  excluded: { why: string; count: number }[];
  typed: string | null;
  made_at_utc: string;
  expires_at_utc: string;
}

export interface PlanProgress {
  token: string;
  action: PlanAction;
  state: "planned" | "running" | "interrupted" | "finished";
  items: number;
  done: number;
  refused: number;
  failed: number;
  waiting: number;
  /** Every item with its result, unsuccessful ones first; at most `MAX_SHOWN_RESULTS`. */
  results: { id: string; name: string; result: "done" | "refused" | "failed" | "waiting"; detail?: string }[];
}

export const MAX_SHOWN_RESULTS = 200;
