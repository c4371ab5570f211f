/**
 * A message of the live feed: changed rows and counts, at most a few times a second; a heartbeat if nothing changes.
 */
import type { StreamRow } from "@sluice/control/stream-row";
import type { DemoState } from "../server/demo/demo.ts";
import type { Overview } from "../server/overview/overview.ts";

export interface LiveBatch {
  /** Server time, ms since 1970. */
  at: number;
  /** Everything may have changed, and the feed cannot say what (first message, a gap, Redis was unavailable). */
  reset: boolean;
  redis: "ok" | "away";
  /** Totals over all workers; absent while Redis is unavailable. */
  workers?: {
    alive: number;
    /** Why all of them are blocked, as one of them reports it. */
    blocked?: string;
  };
  /** Failed streams that need attention; absent while Redis is unavailable. */
  failed?: number;
  /** Our orphaned uploads that may be deleted; absent while Redis is unavailable. */
  orphans?: number;
  /** Changed streams in their current state. */
  rows: StreamRow[];
  /** Ids of streams that no longer exist. */
  gone: string[];
  /** Something other than streams changed: workers, requests. */
  others: boolean;
  /** The overview, every few seconds: no page has to ask for it. */
  overview?: Overview;
  /** Only in a demo. */
  demo?: DemoState;
}

/** Minimum time between two batches. */
export const BATCH_EVERY_MS = 250;
/** The interval of heartbeats while nothing changes. */
export const HEARTBEAT_MS = 5_000;
/** The interval of heartbeats in a demo, where a killed worker is back within seconds. */
export const DEMO_HEARTBEAT_MS = 1_000;
/** Minimum time between two batches with an overview; while nothing changes, each heartbeat has one. */
export const OVERVIEW_EVERY_MS = 2_000;
/** More than two heartbeats were missed: the page may be out of date. */
export const STALE_AFTER_MS = 12_000;
/** If more rows changed, they are not sent one by one: the lists are loaded again. */
export const MAX_ROWS_IN_BATCH = 200;
