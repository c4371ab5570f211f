/** A watch as the worker knows it: its name, directory, key prefix and rules, with defaults filled in. */
import type { RuleKey, Rules } from "../schema.ts";

export interface WatchConfig extends Omit<Rules, "idleMaxMs"> {
  readonly name: string;
  /** Absolute path. */
  readonly root: string;
  /** The prefix of every key: `SLUICE_S3_KEY_PREFIX` and the watch's own, with placeholders filled in. */
  readonly keyPrefix: string;
  readonly idleMaxMs: number;
  /** The rules that its entry in the file sets for it, and where that entry is; absent without any. */
  readonly own?: { readonly rules: readonly RuleKey[]; readonly at: string };
}
