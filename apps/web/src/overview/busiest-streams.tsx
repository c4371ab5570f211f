"use client";
/** The live streams that are furthest behind. */
import { useQuery } from "@tanstack/react-query";
import { Waves } from "lucide-react";
import Link from "next/link";
import { useLiveRefresh } from "../live/live-context.tsx";
import { listHref } from "../streams/list-params.ts";
import { ProgressBar } from "../streams/progress-bar.tsx";
import { fileName, lagBytes, pathOf, sentBytes } from "@sluice/control/stream-row";
import { useTRPC } from "../trpc/client.tsx";
import { Bytes } from "../ui/bytes.tsx";
import { Card } from "../ui/card.tsx";
import { Empty, Loading } from "../ui/states.tsx";
import { VisibleName } from "../ui/visible-name.tsx";
import { BUSIEST } from "./busiest.ts";

const REFRESH_EVERY_MS = 1_500;

export function BusiestStreams() {
  const trpc = useTRPC();
  const streams = useQuery(trpc.streams.page.queryOptions(BUSIEST));
  useLiveRefresh(
    (batch) => batch.reset || batch.rows.length > 0,
    () => void streams.refetch(),
    REFRESH_EVERY_MS,
  );
  return (
    <Card
      title="Furthest behind"
      flush
      aside={
        <Link
          href={listHref({ view: "active", sort: "lag" })}
          className="text-sm text-accent hover:underline"
        >
          All active
        </Link>
      }
    >
      {streams.data === undefined ? (
        <Loading lines={BUSIEST.limit} />
      ) : streams.data.rows.length === 0 ? (
        <Empty icon={Waves} title="No file is growing">
          A file written into a watch appears here at once.
        </Empty>
      ) : (
        <ul className="divide-y divide-line border-t border-line text-sm">
          {streams.data.rows.map((row) => (
            <li
              key={row.id}
              className="relative grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1.5 px-4 py-2.5 hover:bg-sunken/60 sm:grid-cols-[minmax(0,1fr)_10rem_5.5rem]"
            >
              <Link
                href={`/streams/${encodeURIComponent(row.id)}`}
                className="truncate font-medium after:absolute after:inset-0 hover:text-accent"
              >
                <VisibleName text={fileName(pathOf(row))} />
              </Link>
              <ProgressBar
                sent={sentBytes(row)}
                size={row.file_size ?? 0}
                label={`In S3: ${fileName(pathOf(row))}`}
                className="max-sm:order-last max-sm:col-span-2"
              />
              <Bytes n={lagBytes(row)} className="text-right" />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
