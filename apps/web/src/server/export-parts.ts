/** All parts of a stream as a file: CSV for a spreadsheet, JSON for a program, with the record's own field names. */
import { csvCell } from "@sluice/control/row-export";
import type { Part } from "@sluice/core/stream/record";
import type { ExportFormat } from "../parts/export-formats.ts";

const COLUMNS = [
  "PartNumber",
  "Offset",
  "Size",
  "ETag",
  "ChecksumCRC32",
  "Attempts",
  "DurationMs",
  "UploadedAt",
] as const;

export function exportParts(parts: readonly Part[], format: ExportFormat): string {
  const sorted = [...parts].sort((a, b) => a.PartNumber - b.PartNumber);
  if (format === "json") return `${JSON.stringify(sorted, null, 2)}\n`;
  const lines = sorted.map((part) => COLUMNS.map((column) => csvCell(part[column])).join(","));
  return `${[COLUMNS.join(","), ...lines].join("\r\n")}\r\n`;
}
