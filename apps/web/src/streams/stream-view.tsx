"use client";
/** One stream: its state and the reason, its actions, its parts, its timeline, its record. */
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { FileQuestion } from "lucide-react";
import Link from "next/link";
import { KnownOf } from "../activity/known-of.tsx";
import { KillCard } from "../demo/kill-card.tsx";
import { useLiveBatches, useLiveRefresh } from "../live/live-context.tsx";
import { PartsCard } from "../parts/parts-card.tsx";
import { codeOf } from "../trpc/query-client.ts";
import { useTRPC } from "../trpc/client.tsx";
import { Card } from "../ui/card.tsx";
import { PageTitle } from "../ui/page-title.tsx";
import { Empty, Failure, Loading } from "../ui/states.tsx";
import { VisibleName } from "../ui/visible-name.tsx";
import { MetadataCard, RawCard } from "./documents.tsx";
import { HandOverCard } from "./hand-over-card.tsx";
import { ProofCard } from "./proof-card.tsx";
import { StreamActions } from "./stream-actions.tsx";
import { StreamFacts } from "./stream-facts.tsx";
import { fileName, pathOf } from "@sluice/control/stream-row";
import { parseWaiting } from "@sluice/core/stream/waiting";
import { StreamState } from "./stream-state.tsx";
import { Timeline } from "./timeline.tsx";

/** Minimum time between two reads of a growing stream's parts; its record comes with the live feed. */
const REFRESH_EVERY_MS = 2_500;

export function StreamView({ id }: { id: string }) {
  const trpc = useTRPC();
  const queries = useQueryClient();
  const detail = useQuery(trpc.streams.detail.queryOptions({ id }, { placeholderData: keepPreviousData }));
  const parts = useQuery(trpc.streams.partMap.queryOptions({ id }, { placeholderData: keepPreviousData }));
  useLiveBatches((batch) => {
    const row = batch.rows.find((one) => one.id === id);
    if (row === undefined) return;
    queries.setQueryData(trpc.streams.detail.queryKey({ id }), (before) => {
      if (before === undefined) return before;
      const { waiting: _, ...page } = before;
      const waiting = parseWaiting(row.waiting_for);
      // It came as JSON, which has no fields that are undefined.
      return { ...page, row: row as typeof page.row, ...(waiting === undefined ? {} : { waiting }) };
    });
  });
  useLiveRefresh(
    (batch) => batch.reset || batch.gone.includes(id) || batch.rows.some((row) => row.id === id),
    () => {
      void queries.invalidateQueries({ queryKey: trpc.streams.detail.queryKey({ id }) });
      void queries.invalidateQueries({ queryKey: trpc.streams.partMap.queryKey({ id }) });
      void queries.invalidateQueries({ queryKey: trpc.streams.parts.pathKey() });
    },
    REFRESH_EVERY_MS,
  );
  if (detail.isError && codeOf(detail.error) === "NOT_FOUND") return <NoSuchStream id={id} />;
  if (detail.data === undefined) {
    return detail.isError ? (
      <Failure title="The stream could not be read" detail={detail.error.message} />
    ) : (
      <Loading lines={8} />
    );
  }
  const { row, log, raw } = detail.data;
  return (
    <>
      <PageTitle
        title={<VisibleName text={fileName(pathOf(row))} />}
        actions={<StreamActions row={row} sourceAlive={detail.data.source_alive} />}
      >
        <VisibleName text={pathOf(row)} />
      </PageTitle>
      <div className="flex flex-col gap-4">
        <KillCard id={id} />
        <StreamState page={detail.data} parts={parts.data} />
        <ProofCard row={row} />
        {detail.data.object !== undefined && <HandOverCard id={id} object={detail.data.object} />}
        {parts.data === undefined ? (
          <Loading lines={5} label="Reading parts" />
        ) : (
          <PartsCard row={row} page={parts.data} />
        )}
        <div className="grid grid-cols-1 items-start gap-4 xl:grid-cols-2">
          <Card title="Facts">
            <StreamFacts row={row} raw={raw} />
          </Card>
          <Card title="Timeline">
            <Timeline log={log} />
          </Card>
        </div>
        <MetadataCard id={id} />
        <RawCard raw={raw} />
      </div>
    </>
  );
}

function NoSuchStream({ id }: { id: string }) {
  return (
    <>
      <div className="card">
        <Empty icon={FileQuestion} title="Stream not found">
          <p>
            Nothing is stored under <code className="[overflow-wrap:anywhere]">{id}</code>. It was purged, or
            its history has expired.
          </p>
          <p className="mt-2">
            <Link href="/streams" className="text-accent underline">
              All streams
            </Link>
          </p>
        </Empty>
      </div>
      <KnownOf id={id} title="What was done with it" />
    </>
  );
}
