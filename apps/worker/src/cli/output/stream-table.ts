/** The columns of a list of streams. */
import type { ListedStream } from "@sluice/redis-schema";
import { activityMs, reasonOf, unsentBytes } from "../stream-rows.ts";
import type { Column, Piece } from "./table.ts";
import { relative, size } from "./units.ts";

export function streamColumns(nowMs: number): Column<ListedStream>[] {
  return [
    { title: "id", cell: (row) => row.id },
    { title: "state", cell: stateOf },
    {
      title: "size",
      align: "right",
      cell: (row) => (row.file_size === undefined ? "-" : size(row.file_size)),
    },
    {
      title: "only local",
      align: "right",
      cell: (row) => {
        const bytes = unsentBytes(row);
        return bytes === 0 ? { text: "-", style: "dim" } : size(bytes);
      },
    },
    { title: "activity", align: "right", cell: (row) => relative(activityMs(row), nowMs) },
    { title: "path", cell: (row) => row.original_path ?? { text: "(no path)", style: "dim" } },
  ];
}

export function stateOf(row: ListedStream): Piece {
  switch (row.kind) {
    case "failed":
      // Another generation carries on: nothing is wrong any more.
      if (row.set_apart !== undefined) return { text: `given up: ${reasonOf(row)}`, style: "dim" };
      return row.superseded_by === undefined
        ? { text: `failed: ${reasonOf(row)}`, style: "red" }
        : { text: `superseded: ${reasonOf(row)}`, style: "dim" };
    case "completed":
      return { text: row.status, style: "green" };
    case undefined:
      return { text: row.status === "" ? "no record" : `unreadable: ${row.status}`, style: "red" };
    case "opening":
    case "processing":
    case "pending_completion":
    case "s3_completed":
      return row.status;
  }
}
