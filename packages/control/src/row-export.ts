/** Streams for other programs, with the record's own field names: JSON, NDJSON, CSV. */
import type { StreamRow } from "./stream-row.ts";

export const ROW_FORMATS = ["csv", "ndjson"] as const;
export type RowFormat = (typeof ROW_FORMATS)[number];

/** As stored, with the id; values that only this program computes are left out. */
export function rowToJson(row: StreamRow): Record<string, unknown> {
  const { id, kind: _, index: __, score: ___, ...fields } = row;
  return { id, ...fields };
}

/** What people look for in a spreadsheet; NDJSON has every field. */
const COLUMNS = [
  "id",
  "status",
  "original_path",
  "source",
  "watch",
  "s3_bucket",
  "s3_key",
  "file_size",
  "bytes_sent",
  "started_at_utc",
  "last_activity_at_utc",
  "completed_at_utc",
  "failed_at_utc",
  "failure_detail",
  "etag",
  "owner",
] as const satisfies readonly (keyof StreamRow)[];

/** The line that begins a file. */
export function headOf(format: RowFormat): string {
  return format === "csv" ? `${COLUMNS.join(",")}\r\n` : "";
}

/** One line for each row, with its line end: CSV as RFC 4180 has it, or one JSON object. */
export function linesOf(rows: readonly StreamRow[], format: RowFormat): string {
  const line = (row: StreamRow): string =>
    format === "csv"
      ? `${COLUMNS.map((column) => csvCell(row[column])).join(",")}\r\n`
      : `${JSON.stringify(rowToJson(row))}\n`;
  return rows.map(line).join("");
}

/** Quoted if necessary. Text that a spreadsheet would interpret as a formula stays text. */
export function csvCell(value: string | number | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
