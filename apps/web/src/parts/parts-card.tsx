"use client";
/** The part map, its reading in words, the comparison with S3 and the table of parts. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { Download, GitCompareArrows } from "lucide-react";
import { useState } from "react";
import { parsePlan } from "@sluice/core/parts/part-plan";
import { formatBytes } from "../lib/bytes.ts";
import type { PartMapPage } from "../server/stream-detail.ts";
import type { ExportFormat } from "../server/export-parts.ts";
import { useWriteObstacle } from "../shell/session-context.tsx";
import { fileName, pathOf, type StreamRow } from "../streams/stream-row.ts";
import { useTRPC, useTRPCClient } from "../trpc/client.tsx";
import { Button } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { download } from "../ui/download.ts";
import { ComparisonView } from "./comparison-view.tsx";
import { plannedRange } from "./part-map.ts";
import { cellWord, PartMapText, PartMapView } from "./part-map-view.tsx";
import { PartTable } from "./part-table.tsx";

const LOOK_EVERY_MS = 500;

export function PartsCard({ row, page }: { row: StreamRow; page: PartMapPage }) {
  const trpc = useTRPC();
  const blocked = useWriteObstacle();
  const [selected, setSelected] = useState<number>();
  const compare = useMutation(trpc.streams.compare.mutationOptions());
  const request = compare.data?.id;
  const found = useQuery(
    trpc.streams.comparison.queryOptions(
      { id: row.id, request: request ?? "" },
      {
        enabled: request !== undefined,
        refetchInterval: (query) =>
          query.state.data === undefined || query.state.data.kind === "waiting" ? LOOK_EVERY_MS : false,
      },
    ),
  );
  const { map } = page;
  return (
    <Card
      title="Parts"
      flush
      aside={
        <div className="flex flex-wrap gap-2">
          <Button
            size="small"
            unavailable={blocked ?? notInS3(row)}
            aria-busy={compare.isPending}
            onClick={() => compare.mutate({ id: row.id })}
          >
            <GitCompareArrows aria-hidden className="size-3.5" /> Compare with S3
          </Button>
          <ExportButton row={row} format="csv" />
          <ExportButton row={row} format="json" />
        </div>
      }
    >
      <div className="flex flex-col gap-3 px-4 pt-1 pb-4">
        <PartMapView
          map={map}
          describe={(n) => describePart(page, n)}
          selected={selected}
          onSelect={setSelected}
        />
        {page.bad > 0 && (
          <p className="text-sm text-warn">{page.bad} recorded parts cannot be read and are left out.</p>
        )}
        {map.count > 0 && (
          <details className="text-sm">
            <summary className="text-muted">The map as text</summary>
            <PartMapText map={map} />
          </details>
        )}
        {(compare.isError || found.data) && (
          <ComparisonView
            comparison={
              compare.isError
                ? { kind: "refused", detail: compare.error.message }
                : (found.data ?? { kind: "waiting" })
            }
          />
        )}
      </div>
      {map.count > 0 && (
        <div className="border-t border-line">
          <PartTable
            id={row.id}
            map={map}
            partPlan={page.part_plan}
            selected={selected}
            {...(found.data === undefined ? {} : { comparison: found.data })}
          />
        </div>
      )}
    </Card>
  );
}

function ExportButton({ row, format }: { row: StreamRow; format: ExportFormat }) {
  const client = useTRPCClient();
  const save = async () => {
    const { text } = await client.streams.exported.query({ id: row.id, format });
    download(
      `${fileName(pathOf(row))}.parts.${format}`,
      format === "csv" ? "text/csv" : "application/json",
      text,
    );
  };
  return (
    <Button size="small" onClick={() => void save()}>
      <Download aria-hidden className="size-3.5" /> {format.toUpperCase()}
    </Button>
  );
}

function notInS3(row: StreamRow): string | undefined {
  const stored = row.kind === "completed" || row.kind === "s3_completed";
  return stored || row.s3_upload_id !== undefined ? undefined : "nothing of this stream is in S3 yet";
}

function describePart({ map, part_plan }: PartMapPage, n: number): string {
  const range = plannedRange(part_plan === undefined ? undefined : parsePlan(part_plan), n);
  const where = range === undefined ? "" : `, ${formatBytes(range.size)} from ${formatBytes(range.offset)}`;
  return `Part ${n}${where}: ${cellWord(map, n)}`;
}
