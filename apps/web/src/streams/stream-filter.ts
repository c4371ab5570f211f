/** Which streams a list shows: the same test in the server's read model and, for live rows, in the browser. */
import { z } from "zod";
import {
  failureReason,
  indexOfRow,
  isSuperseded,
  lagBytes,
  pathOf,
  type StreamRow,
} from "@sluice/control/stream-row";
import { isStalled } from "@sluice/control/stalled";

export const VIEWS = ["all", "active", "pending_completion", "failed", "superseded", "completed"] as const;
export type View = (typeof VIEWS)[number];

export const SORTS = ["started", "activity", "path", "size", "lag"] as const;
export type Sort = (typeof SORTS)[number];
export const DIRECTIONS = ["asc", "desc"] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** Longest search text, in characters. */
const MAX_SEARCH_CHARS = 1_024;

export const filterSchema = z.object({
  view: z.enum(VIEWS).default("all"),
  q: z.string().max(MAX_SEARCH_CHARS).default(""),
  watch: z.string().max(MAX_SEARCH_CHARS).default(""),
  worker: z.string().max(MAX_SEARCH_CHARS).default(""),
  reason: z.string().max(64).default(""),
  stalled: z.boolean().default(false),
  reopened: z.boolean().default(false),
});
export type StreamFilter = z.infer<typeof filterSchema>;

export interface FilterClock {
  now: number;
  stallAfterMs: number;
}

export function matches(row: StreamRow, filter: StreamFilter, clock: FilterClock): boolean {
  return (
    inView(row, filter.view) &&
    (filter.watch === "" || row.watch === filter.watch) &&
    (filter.worker === "" || row.owner === filter.worker) &&
    (filter.reason === "" || failureReason(row) === filter.reason) &&
    (!filter.reopened || row.supersedes !== undefined) &&
    (!filter.stalled || isStalled(row, clock.now, clock.stallAfterMs)) &&
    found(row, filter.q)
  );
}

function inView(row: StreamRow, view: View): boolean {
  if (view === "all") return true;
  const index = indexOfRow(row);
  if (view === "superseded") return index === "failed" && isSuperseded(row);
  if (view === "failed") return index === "failed" && !isSuperseded(row);
  return index === view;
}

/** Every word must occur in the path, the key, the id, the upload id or the ETag; case does not matter. */
function found(row: StreamRow, q: string): boolean {
  if (q === "") return true;
  const words = q.toLowerCase().split(/\s+/);
  return words.every(
    (word) => word === "" || fieldsOf(row).some((text) => text?.toLowerCase().includes(word)),
  );
}

function fieldsOf(row: StreamRow): (string | undefined)[] {
  return [row.original_path, row.id, row.s3_key, row.s3_upload_id, row.etag];
}

/** What a list is ordered by; text for paths, a number for everything else. */
export function sortValue(row: StreamRow, sort: Sort): string | number {
  switch (sort) {
    case "started":
      return row.started_at_utc ?? "";
    case "activity":
      return row.last_activity_at_utc ?? "";
    case "path":
      return pathOf(row);
    case "size":
      return row.file_size ?? 0;
    case "lag":
      return lagBytes(row);
  }
}

/** No filter but the view: such a first page can come straight from a sorted set. */
export function isPlain(filter: StreamFilter): boolean {
  return (
    filter.q === "" &&
    filter.watch === "" &&
    filter.worker === "" &&
    filter.reason === "" &&
    !filter.stalled &&
    !filter.reopened
  );
}
