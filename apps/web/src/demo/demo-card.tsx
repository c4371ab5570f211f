"use client";
/**
 * The demonstration: kill the worker during an upload, watch the map resume, and count what was sent twice; or lose the disk
 * and salvage what S3 holds.
 */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Skull } from "lucide-react";
import { formatBytes, plural } from "@sluice/control/units";
import { useWriteObstacle } from "../shell/session-context.tsx";
import { useTRPC } from "../trpc/client.tsx";
import { Button } from "../ui/button.tsx";
import { Age } from "../ui/time.tsx";
import { LoseDisk } from "./lose-disk.tsx";

export function DemoCard({ id }: { id: string | undefined }) {
  const trpc = useTRPC();
  const queries = useQueryClient();
  const blocked = useWriteObstacle();
  // The live feed replaces it every second.
  const state = useQuery(trpc.demo.state.queryOptions());
  const kill = useMutation(
    trpc.demo.kill.mutationOptions({
      onSuccess: (after) => queries.setQueryData(trpc.demo.state.queryKey(), after),
    }),
  );
  const { data } = state;
  const dead = data !== undefined && data.worker === undefined;
  return (
    <section
      aria-label="Demo"
      className="card grid gap-x-8 gap-y-3 border-accent/50 px-4 py-3 lg:grid-cols-2"
    >
      <div className="flex flex-wrap items-center gap-x-5 gap-y-2">
        <Button
          tone="danger"
          aria-busy={kill.isPending}
          unavailable={blocked ?? (dead ? "the worker was killed and is being restarted" : undefined)}
          onClick={() => kill.mutate()}
        >
          <Skull aria-hidden className="size-4" /> Kill it now
        </Button>
        <div className="min-w-0 flex-1 basis-60 text-sm">
          <p role="status" className="num">
            {data === undefined ? (
              "Looking for the worker…"
            ) : dead && data.killed_at !== undefined ? (
              <>
                Killed <Age since={data.killed_at} /> ago with SIGKILL. The map does not change until it is
                back.
              </>
            ) : data.kills === 0 ? (
              "Sends SIGKILL to the worker, whatever it is doing. It is restarted and resumes."
            ) : (
              `Running again after ${plural(data.kills, "kill")}.`
            )}
          </p>
          {data !== undefined && data.kills > 0 && (
            <p className="num mt-0.5" data-testid="sent-again">
              <strong className={data.sent_again === 0 ? "text-good" : "text-bad"}>
                {formatBytes(data.sent_again)} of acknowledged bytes sent again
              </strong>{" "}
              <span className="text-muted">({formatBytes(data.acknowledged)} were acknowledged before)</span>
            </p>
          )}
          {kill.isError && <p className="text-bad">{kill.error.message}</p>}
        </div>
      </div>
      <LoseDisk id={id} loss={data?.loss} dead={dead} />
    </section>
  );
}
