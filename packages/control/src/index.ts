/** What an operator may do: may, choose, plan, run. What a browser needs has entries of its own: see the architecture page. */
export * from "./actions.ts";
export * from "./carry-out.ts";
export * from "./choose.ts";
export * from "./draft.ts";
export * from "./row-filter.ts";
export * from "./run-plan.ts";
export * from "./still-as-planned.ts";
export * from "./stream-row.ts";
export * from "./units.ts";
export * from "./visible-text.ts";
export * from "./words.ts";
