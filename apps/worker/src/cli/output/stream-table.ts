/** The columns of a list of streams. */
import type { ListedStream } from "@sluice/redis-schema";
import { failureReason, isPartial, lastActivityAt, unprotectedBytes } from "@sluice/control/stream-row";
import { formatBytes } from "@sluice/control/units";
import { relative, type Column, type Piece } from "./table.ts";

/** `shortId`: how ids are shown in the table. */
export function streamColumns(nowMs: number, shortId = (id: string): string => id): Column<ListedStream>[] {
  return [
    { title: "id", cell: (row) => shortId(row.id) },
    { title: "state", cell: stateOf, narrow: { least: 14 } },
    {
      title: "size",
      align: "right",
      narrow: "left out",
      cell: (row) => (row.file_size === undefined ? "-" : formatBytes(row.file_size)),
    },
    {
      title: "unprotected",
      align: "right",
      cell: (row) => {
        const bytes = unprotectedBytes(row);
        return bytes === 0 ? { text: "-", style: "dim" } : formatBytes(bytes);
      },
    },
    {
      title: "activity",
      align: "right",
      narrow: "left out",
      cell: (row) => relative(lastActivityAt(row), nowMs),
    },
    { title: "path", cell: (row) => row.original_path ?? { text: "(no path)", style: "dim" } },
  ];
}

export function stateOf(row: ListedStream): Piece {
  switch (row.kind) {
    case "failed": {
      const reason = failureReason(row) ?? "";
      // A newer generation of the file replaced it, so there is nothing left to fix.
      if (row.set_apart !== undefined) return { text: `given up: ${reason}`, style: "dim" };
      return row.superseded_by === undefined
        ? { text: `failed: ${reason}`, style: "red" }
        : { text: `superseded: ${reason}`, style: "dim" };
    }
    case "completed":
      return isPartial(row)
        ? { text: "partial (salvaged)", style: "yellow" }
        : { text: row.status, style: "green" };
    case undefined:
      return { text: row.status === "" ? "no record" : `unreadable: ${row.status}`, style: "red" };
    case "opening":
    case "processing":
    case "pending_completion":
    case "s3_completed":
      return row.status;
  }
}

const SHORTEST_ID = 6;

/**
 * The shortest suffixes that are unique among these ids: ids of files that were found together begin with the same
 * time. Commands accept them like whole ids.
 */
export function shortIds(ids: readonly string[]): (id: string) => string {
  const longest = Math.max(SHORTEST_ID, ...ids.map((id) => id.length));
  for (let length = SHORTEST_ID; length < longest; length += 1)
    if (new Set(ids.map((id) => id.slice(-length))).size === ids.length) return (id) => id.slice(-length);
  return (id) => id;
}
