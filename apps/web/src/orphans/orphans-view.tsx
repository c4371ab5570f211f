"use client";
/**
 * The list of orphans: whose they are, their age and its source, their size; and their clean-up, selected one by one.
 */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { LifeBuoy, RefreshCw, Trash2, Unlink } from "lucide-react";
import { useState } from "react";
import { useAct } from "../actions/action-context.tsx";
import { useLiveRefresh } from "../live/live-context.tsx";
import { plural } from "@sluice/control/units";
import { useWriteObstacle } from "../shell/session-context.tsx";
import { useTRPC } from "../trpc/client.tsx";
import { Answered } from "../ui/answered.tsx";
import { Button } from "../ui/button.tsx";
import { PageTitle } from "../ui/page-title.tsx";
import { Empty, Failure } from "../ui/states.tsx";
import { Time } from "../ui/time.tsx";
import { LeftToAbort } from "./left-to-abort.tsx";
import { OrphanTable } from "./orphan-table.tsx";
import { OrphanTotalsTable } from "./orphan-totals.tsx";
import { RequestState } from "../requests/request-state.tsx";

const REFRESH_EVERY_MS = 2_000;

export function OrphansPageView() {
  const trpc = useTRPC();
  const queries = useQueryClient();
  const orphans = useQuery(trpc.orphans.list.queryOptions());
  const scan = useMutation(trpc.orphans.scan.mutationOptions());
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const refresh = () => void queries.invalidateQueries({ queryKey: trpc.orphans.list.queryKey() });
  useLiveRefresh((batch) => batch.reset || batch.others || batch.gone.length > 0, refresh, REFRESH_EVERY_MS);
  const list = orphans.data?.orphans ?? [];
  return (
    <>
      <PageTitle
        title="Orphans"
        actions={
          <Toolbar
            ours={list.filter((orphan) => orphan.verdict === "ours").map((orphan) => orphan.s3_upload_id)}
            picked={list
              .filter((orphan) => chosen.has(orphan.s3_upload_id))
              .map((orphan) => orphan.s3_upload_id)}
            onScan={() => scan.mutate()}
            scanning={scan.isPending}
            onChoose={setChosen}
          />
        }
      >
        Open multipart uploads that no stream owns.
        {orphans.data?.scanned_at !== undefined && (
          <>
            {" "}
            Last scan: <Time at={orphans.data.scanned_at} />
          </>
        )}
      </PageTitle>
      <div className="flex flex-col gap-4">
        {scan.data && <RequestState id={scan.data.id} what="Scan" onSettled={refresh} />}
        {scan.isError && <Failure title="The scan could not be started" detail={scan.error.message} />}
        {orphans.data && list.length > 0 && <OrphanTotalsTable view={orphans.data} />}
        <section aria-label="Orphaned uploads" className="card min-w-0 overflow-hidden">
          <Answered query={orphans} what="The list of orphans">
            {() =>
              list.length === 0 ? (
                <Empty icon={Unlink} title="No orphans known">
                  A worker looks for them now and then; a scan looks now. Completed streams leave none behind.
                </Empty>
              ) : (
                <OrphanTable orphans={list} chosen={chosen} onChoose={setChosen} />
              )
            }
          </Answered>
        </section>
        {orphans.data && orphans.data.to_abort.length > 0 && <LeftToAbort uploads={orphans.data.to_abort} />}
      </div>
    </>
  );
}

function Toolbar({
  ours,
  picked,
  onScan,
  scanning,
  onChoose,
}: {
  ours: string[];
  picked: string[];
  onScan: () => void;
  scanning: boolean;
  onChoose: (ids: ReadonlySet<string>) => void;
}) {
  const act = useAct();
  const blocked = useWriteObstacle();
  return (
    <>
      <Button unavailable={blocked} onClick={onScan} aria-busy={scanning}>
        <RefreshCw aria-hidden className="size-4" /> Scan now
      </Button>
      <Button
        unavailable={blocked ?? (ours.length === 0 ? "none of these uploads is ours" : undefined)}
        onClick={() => onChoose(new Set(ours))}
      >
        Select ours
      </Button>
      <Button
        unavailable={blocked ?? (picked.length === 1 ? undefined : "select one upload first")}
        onClick={() => act({ action: "salvage_upload", upload_id: picked[0] ?? "" })}
      >
        <LifeBuoy aria-hidden className="size-4" /> Salvage
      </Button>
      <Button
        unavailable={blocked ?? (picked.length === 0 ? "select uploads first" : undefined)}
        onClick={() => act({ action: "abort_uploads", upload_ids: picked })}
      >
        <Trash2 aria-hidden className="size-4" /> Abort{" "}
        {picked.length > 0 ? plural(picked.length, "upload") : "selected"}
      </Button>
    </>
  );
}
