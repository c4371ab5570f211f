/** The filter and order of a list's URL: the same in the server's read model and, for live rows, in the browser. */
import type { RowFilter, TimeField, View } from "@sluice/control/row-filter";
import { lagBytes, pathOf, type StreamRow } from "@sluice/control/stream-row";

export const SORTS = ["started", "activity", "path", "size", "lag"] as const;
export type Sort = (typeof SORTS)[number];
export const DIRECTIONS = ["asc", "desc"] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** As the URL has it: what is empty does not filter. */
export interface StreamFilter {
  view: View;
  q: string;
  source: string;
  watch: string;
  worker: string;
  reason: string;
  stalled: boolean;
  reopened: boolean;
  /** From `since` to before `until`, ms since 1970. */
  time: TimeField;
  since?: number | undefined;
  until?: number | undefined;
}

/** Filters nothing; the server's schema has the same defaults. */
export const ALL_STREAMS: StreamFilter = {
  view: "all",
  q: "",
  source: "",
  watch: "",
  worker: "",
  reason: "",
  stalled: false,
  reopened: false,
  time: "started",
};

/** Parameters that are empty in the URL do not filter. */
export function rowFilter(filter: StreamFilter, stallAfterMs: number): RowFilter {
  const { view, q, source, watch, worker, reason, stalled, reopened, time, since, until } = filter;
  return {
    view,
    ...(q === "" ? {} : { words: q.toLowerCase().split(/\s+/) }),
    ...(source === "" ? {} : { source }),
    ...(watch === "" ? {} : { watch }),
    ...(worker === "" ? {} : { owner: worker }),
    ...(reason === "" ? {} : { reasons: [reason] }),
    ...(stalled ? { stalledAfterMs: stallAfterMs } : {}),
    reopened,
    time,
    since,
    until,
  };
}

/** The value that a list is sorted by; text for paths, a number for everything else. */
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

/** Filtered by nothing but the view: such a first page can come straight from a sorted set. */
export function isPlain(filter: Omit<StreamFilter, "time">): boolean {
  return (
    filter.since === undefined &&
    filter.until === undefined &&
    filter.q === "" &&
    filter.source === "" &&
    filter.watch === "" &&
    filter.worker === "" &&
    filter.reason === "" &&
    !filter.stalled &&
    !filter.reopened
  );
}
