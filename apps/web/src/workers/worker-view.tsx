"use client";
/** One worker: its lease, its last errors, how long its parts take, and the settings that it runs with. */
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useLiveRefresh } from "../live/live-context.tsx";
import { useTRPC } from "../trpc/client.tsx";
import { Answered } from "../ui/answered.tsx";
import { Card } from "../ui/card.tsx";
import { PageTitle } from "../ui/page-title.tsx";
import { SettingsCard } from "../ui/settings-card.tsx";
import { PartSecondsCard } from "./part-seconds.tsx";
import { TroublesCard } from "./troubles-card.tsx";
import { WorkerCard } from "./workers-view.tsx";

const REFRESH_EVERY_MS = 2_000;
const AT_LEAST_EVERY_MS = 10_000;

export function WorkerPageView({ id }: { id: string }) {
  const trpc = useTRPC();
  const page = useQuery(trpc.workers.get.queryOptions({ id }, { refetchInterval: AT_LEAST_EVERY_MS }));
  useLiveRefresh(
    (batch) => batch.reset || batch.others,
    () => void page.refetch(),
    REFRESH_EVERY_MS,
  );
  return (
    <>
      <PageTitle title={`Worker ${id}`}>
        <Link href="/workers" className="inline-block min-h-6 text-accent hover:underline">
          All workers
        </Link>
      </PageTitle>
      <Answered query={page} what="The worker" lines={10}>
        {({ worker, troubles, settings, part_seconds }) => (
          <div className="flex flex-col gap-4">
            <WorkerCard worker={worker} />
            {settings === undefined ? (
              <Card title="Errors, parts and settings">
                <p className="text-sm text-muted">
                  This worker has not reported them: it has just started, or its version is older than that of
                  the dashboard.
                </p>
              </Card>
            ) : (
              <>
                <TroublesCard troubles={troubles ?? []} />
                <PartSecondsCard durations={part_seconds} />
                <SettingsCard settings={settings} />
              </>
            )}
          </div>
        )}
      </Answered>
    </>
  );
}
