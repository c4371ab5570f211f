/** A watch as the worker knows it: its name, its directory, the prefix of its keys, and its rules, all settled. */
import type { Rules } from "../schema.ts";

export interface WatchConfig extends Omit<Rules, "idleMaxMs"> {
  readonly name: string;
  /** Absolute path. */
  readonly root: string;
  /** Of every key: `SLUICE_S3_KEY_PREFIX` and the watch's own, placeholders filled in. */
  readonly keyPrefix: string;
  readonly idleMaxMs: number;
}
