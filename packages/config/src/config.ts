/**
 * The configuration as worker and dashboard use it, with every default filled in. Sizes are in bytes, durations in ms.
 */
import type { Settings } from "./schema.ts";
import type { WatchConfig } from "./watches/watch-config.ts";

export interface Config extends Omit<Settings, "watch" | "idleMaxMs"> {
  readonly watches: readonly WatchConfig[];
  readonly source: string;
  readonly workerId: string;
  /** Empty only if no worker is meant to run with this configuration. */
  readonly s3Bucket: string;
  readonly s3ForcePathStyle: boolean;
  readonly memoryBudgetBytes: number;
  /** Each part in flight has a buffer of this size; a larger part is read from the file while it is sent. */
  readonly partBufferBytes: number;
}

/** The program that the configuration is for: its required settings are checked. */
export type Role = "worker" | "dashboard";
