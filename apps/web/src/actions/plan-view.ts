/** A plan as it is shown before it runs, and what came of it. Shared by server and browser. */
import type { PlanAction } from "@sluice/control/actions";

export interface PlanView {
  token: string;
  action: PlanAction;
  /** "Purge 3 failed streams" */
  title: string;
  /** What is lost and what is kept, a sentence each. */
  facts: string[];
  /** How many items exactly; the plan holds their ids. */
  items: number;
  /** The first few, for the eye. */
  sample: { id: string; name: string; bytes: number }[];
  counts: Record<string, number>;
  /** More matched than one plan takes. */
  left_out: number;
  /** Matched the filter, but their state forbids it: how many, by reason. */
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
  /** Every item with its result, those that did not succeed first; at most `MAX_SHOWN_RESULTS`. */
  results: { id: string; name: string; result: "done" | "refused" | "failed" | "waiting"; detail?: string }[];
}

export const MAX_SHOWN_RESULTS = 200;
