/** What the live feed carries: changed rows and counts, at most a few times a second; a heartbeat when nothing changes. */
import type { StreamRow } from "@sluice/control/stream-row";

export interface LiveBatch {
  /** Server time, ms since 1970. */
  at: number;
  /** Everything may have changed: the feed could not say what (first message, a gap, Redis was away). */
  reset: boolean;
  redis: "ok" | "away";
  /** The workers as a whole; absent while Redis is away. */
  workers?: {
    alive: number;
    /** Why all of them are blocked, in the words of one. */
    blocked?: string;
  };
  /** Failed streams that need attention; absent while Redis is away. */
  failed?: number;
  /** Changed streams as they are now. */
  rows: StreamRow[];
  /** Ids of streams that exist no more. */
  gone: string[];
  /** Something outside streams changed: workers, requests. */
  others: boolean;
}

/** A batch follows the one before not sooner than this. */
export const BATCH_EVERY_MS = 250;
/** Without a change, this often. */
export const HEARTBEAT_MS = 5_000;
/** Two heartbeats and a bit missed: what is on the screen may be old. */
export const STALE_AFTER_MS = 12_000;
/** More rows than this are not sent one by one: the lists are asked for anew. */
export const MAX_ROWS_IN_BATCH = 200;
