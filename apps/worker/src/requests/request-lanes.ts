/**
 * Requests wait in lanes by what they cost, so that none is held up by another kind: what only touches records is
 * answered while the store hangs, and one look at the store while a bucket is scanned or an object is read back.
 */
import { LIMITS, assert } from "@sluice/core";
import type { RequestRecord } from "@sluice/redis-schema";

export const LANES = {
  /** Records alone: finalize, abort, retry. */
  records: { slots: 16, deadlineMs: 15_000 },
  /** One question to the store, or a few. */
  store: { slots: 4, deadlineMs: 25_000 },
  /** Open uploads, each by its own key. */
  uploads: { slots: 4, deadlineMs: 60_000 },
  /** The whole bucket. */
  scans: { slots: 1, deadlineMs: 30 * 60_000 },
  /** Whole objects, read back. */
  readBack: { slots: 1, deadlineMs: 24 * 60 * 60_000 },
} as const;

export type Lane = keyof typeof LANES;

assert(
  Object.values(LANES).reduce((sum, { slots }) => sum + slots, 0) < 2 * LIMITS.controlRequests,
  "requests do not crowd out the uploads",
);

const LANE_OF: Record<RequestRecord["action"], Lane> = {
  finalize: "records",
  abort: "records",
  retry: "records",
  retry_path: "records",
  adopt: "records",
  head_object: "store",
  list_parts: "store",
  verify: "store",
  abort_uploads: "uploads",
  scan_orphans: "scans",
};

export function laneOf({ action, options }: Pick<RequestRecord, "action" | "options">): Lane {
  return action === "verify" && options?.["deep"] === true ? "readBack" : LANE_OF[action];
}
