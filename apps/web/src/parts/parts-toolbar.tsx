"use client";
/** Actions on all parts: compare them with S3, download them as a file. */
import { Download, GitCompareArrows } from "lucide-react";
import { useState } from "react";
import { EXPORT_FORMATS, type ExportFormat } from "./export-formats.ts";
import { useWriteObstacle } from "../shell/session-context.tsx";
import { fileName, pathOf, type StreamRow } from "@sluice/control/stream-row";
import { useTRPCClient } from "../trpc/client.tsx";
import { Button } from "../ui/button.tsx";
import { download } from "../ui/download.ts";

const TYPES: Record<ExportFormat, string> = { csv: "text/csv", json: "application/json" };

export function PartsToolbar({
  row,
  onCompare,
  comparing,
}: {
  row: StreamRow;
  onCompare: () => void;
  comparing: boolean;
}) {
  const blocked = useWriteObstacle();
  return (
    <div className="flex flex-wrap gap-2">
      <Button size="small" unavailable={blocked ?? notInS3(row)} aria-busy={comparing} onClick={onCompare}>
        <GitCompareArrows aria-hidden className="size-3.5" /> Compare with S3
      </Button>
      {EXPORT_FORMATS.map((format) => (
        <ExportButton key={format} row={row} format={format} />
      ))}
    </div>
  );
}

function ExportButton({ row, format }: { row: StreamRow; format: ExportFormat }) {
  const client = useTRPCClient();
  const [failed, setFailed] = useState(false);
  const save = () => {
    client.streams.exported.query({ id: row.id, format }).then(
      ({ text }) => {
        setFailed(false);
        download(`${fileName(pathOf(row))}.parts.${format}`, TYPES[format], text);
      },
      () => setFailed(true),
    );
  };
  return (
    <Button size="small" onClick={save}>
      <Download aria-hidden className="size-3.5" /> {format.toUpperCase()}
      {failed && <span className="text-bad">failed, try again</span>}
    </Button>
  );
}

function notInS3(row: StreamRow): string | undefined {
  const stored = row.kind === "completed" || row.kind === "s3_completed";
  return stored || row.s3_upload_id !== undefined ? undefined : "this stream has no data in S3 yet";
}
