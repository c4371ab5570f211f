"use client";
/** One stream: what it is, where it stands and why, its part map, its parts, its timeline, its record. */
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { FileQuestion } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { describeWaiting } from "@sluice/core/stream/waiting";
import { parsePlan } from "@sluice/core/parts/part-plan";
import { useLiveRefresh } from "../live/live-context.tsx";
import { formatBytes } from "../lib/bytes.ts";
import { codeOf } from "../trpc/query-client.ts";
import { useTRPC } from "../trpc/client.tsx";
import { Card } from "../ui/card.tsx";
import { Empty, Failure, Loading } from "../ui/states.tsx";
import { PageTitle } from "../ui/page-title.tsx";
import { VisibleName } from "../ui/visible-name.tsx";
import { PartMapText, PartMapView, cellWord } from "../parts/part-map-view.tsx";
import { PartTable } from "../parts/part-table.tsx";
import { plannedRange, type PartMap } from "../parts/part-map.ts";
import { StatusMark } from "./status.tsx";
import { fileName, isSuperseded, pathOf } from "./stream-row.ts";

/** The page of a growing stream is read again at most so often. */
const REFRESH_EVERY_MS = 500;

export function StreamView({ id }: { id: string }) {
  const trpc = useTRPC();
  const queries = useQueryClient();
  const detail = useQuery(trpc.streams.detail.queryOptions({ id }, { placeholderData: keepPreviousData }));
  const parts = useQuery(trpc.streams.partMap.queryOptions({ id }, { placeholderData: keepPreviousData }));
  const [selected, setSelected] = useState<number>();
  useLiveRefresh(
    (batch) => batch.reset || batch.gone.includes(id) || batch.rows.some((row) => row.id === id),
    () => {
      void queries.invalidateQueries({ queryKey: trpc.streams.detail.queryKey({ id }) });
      void queries.invalidateQueries({ queryKey: trpc.streams.partMap.queryKey({ id }) });
      void queries.invalidateQueries({ queryKey: trpc.streams.parts.queryKey() });
    },
    REFRESH_EVERY_MS,
  );
  if (detail.isError && codeOf(detail.error) === "NOT_FOUND") {
    return (
      <Empty icon={FileQuestion} title="No such stream">
        <p>
          Nothing is stored under <code>{id}</code>. It was purged, or its history ran out.
        </p>
        <p className="mt-2">
          <Link href="/streams" className="text-accent underline">
            All streams
          </Link>
        </p>
      </Empty>
    );
  }
  if (detail.data === undefined) {
    return detail.isError ? (
      <Failure title="The stream could not be read" detail={detail.error.message} />
    ) : (
      <Loading lines={8} />
    );
  }
  const { row, waiting, log, raw, trouble } = detail.data;
  return (
    <>
      <PageTitle title={<VisibleName text={fileName(pathOf(row))} />}>
        <VisibleName text={pathOf(row)} dim />
      </PageTitle>
      <div className="flex flex-col gap-4">
        <div className="card flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-3">
          <StatusMark status={row.status} superseded={isSuperseded(row)} />
          <span className="text-sm text-muted">
            {waiting ? describeWaiting(waiting) : (trouble ?? row.failure_detail ?? "")}
          </span>
        </div>
        {parts.data && (
          <Card title="Parts" flush>
            <div className="px-4 pb-4">
              <PartMapView
                map={parts.data.map}
                describe={(n) => describePart(parts.data.map, parts.data.part_plan, n)}
                selected={selected}
                onSelect={setSelected}
              />
              <details className="mt-3 text-sm">
                <summary className="text-muted">As text</summary>
                <PartMapText map={parts.data.map} />
              </details>
            </div>
            {parts.data.map.count > 0 && (
              <div className="border-t border-line">
                <PartTable id={id} map={parts.data.map} partPlan={parts.data.part_plan} selected={selected} />
              </div>
            )}
          </Card>
        )}
        <Card title="Timeline">
          <ol className="space-y-1 text-sm">
            {log.map((entry, at) => (
              <li key={at}>{entry.text}</li>
            ))}
          </ol>
        </Card>
        <Card title="Raw record">
          <pre className="overflow-x-auto text-xs">{JSON.stringify(raw, null, 2)}</pre>
        </Card>
      </div>
    </>
  );
}

function describePart(map: PartMap, partPlan: string | undefined, n: number): string {
  const plan = partPlan === undefined ? undefined : parsePlan(partPlan);
  const range = plannedRange(plan, n);
  const where = range === undefined ? "" : `, ${formatBytes(range.size)} from ${formatBytes(range.offset)}`;
  return `Part ${n}${where}: ${cellWord(map, n)}`;
}
