/** The columns of a list of streams. */
import type { ListedStream } from "@sluice/redis-schema";
import { failureReason, lagBytes, lastActivityAt } from "@sluice/control/stream-row";
import { formatBytes } from "@sluice/control/units";
import { relative, type Column, type Piece } from "./table.ts";

export function streamColumns(nowMs: number): Column<ListedStream>[] {
  return [
    { title: "id", cell: (row) => row.id },
    { title: "state", cell: stateOf },
    {
      title: "size",
      align: "right",
      cell: (row) => (row.file_size === undefined ? "-" : formatBytes(row.file_size)),
    },
    {
      title: "only local",
      align: "right",
      cell: (row) => {
        const bytes = lagBytes(row);
        return bytes === 0 ? { text: "-", style: "dim" } : formatBytes(bytes);
      },
    },
    { title: "activity", align: "right", cell: (row) => relative(lastActivityAt(row), nowMs) },
    { title: "path", cell: (row) => row.original_path ?? { text: "(no path)", style: "dim" } },
  ];
}

export function stateOf(row: ListedStream): Piece {
  switch (row.kind) {
    case "failed": {
      const reason = failureReason(row) ?? "";
      // Another generation carries on: nothing is wrong any more.
      if (row.set_apart !== undefined) return { text: `given up: ${reason}`, style: "dim" };
      return row.superseded_by === undefined
        ? { text: `failed: ${reason}`, style: "red" }
        : { text: `superseded: ${reason}`, style: "dim" };
    }
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
