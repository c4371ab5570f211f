/** A watch as streams see it: its rules, and what can be asked of the one who walks it. */
import type { WatchRules } from "@sluice/core";

export interface Watch {
  readonly name: string;
  readonly root: string;
  /** Effective prefix of its keys. */
  readonly keyPrefix: string;
  readonly rules: WatchRules;
}
