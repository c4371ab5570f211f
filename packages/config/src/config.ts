/** The configuration as worker and dashboard use it: every default settled. Sizes are in bytes, durations in ms. */
import type { Settings } from "./schema.ts";
import type { WatchConfig } from "./watches/watch-config.ts";

export interface Config extends Omit<Settings, "watch" | "idleMaxMs"> {
  readonly watches: readonly WatchConfig[];
  readonly source: string;
  readonly workerId: string;
  /** Empty only where no worker is meant to run on this configuration. */
  readonly s3Bucket: string;
  readonly s3ForcePathStyle: boolean;
  readonly memoryBudgetBytes: number;
  /** Each part in flight has a buffer of this size; a larger part is read from the file as it is sent. */
  readonly partBufferBytes: number;
}

/** Which program the configuration is for: what it cannot do without is checked for it alone. */
export type Role = "worker" | "dashboard";
