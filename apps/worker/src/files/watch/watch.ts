/** A watch as streams see it: its rules, and the questions that its runner answers. */
import type { WatchRules } from "@sluice/core";

export interface Watch {
  readonly name: string;
  readonly root: string;
  /** Effective prefix of its keys. */
  readonly keyPrefix: string;
  readonly rules: WatchRules;
}
