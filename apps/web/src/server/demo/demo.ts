/** `npm start -- --demo` only: kills the worker of this machine and counts what was sent again; says what was lost. */
import { hostname } from "node:os";
import type { Actor } from "@sluice/control/run-plan";
import { indexOfRow } from "@sluice/control/stream-row";
import { TRPCError } from "@trpc/server";
import type { Hub } from "../hub.ts";
import { lossState, type LossState } from "./lose-disk.ts";

export interface DemoState {
  /** The live worker of this machine. */
  worker?: { id: string; pid: number; since: number };
  kills: number;
  killed_at?: number;
  acknowledged: number;
  sent_again: number;
  /** The recording whose file was deleted last. */
  loss?: LossState;
}

export async function demoState(hub: Hub): Promise<DemoState> {
  const [worker, counted, loss] = await Promise.all([localWorker(hub), hub.kills.count(), lossState(hub)]);
  const last = hub.kills.kills.at(-1);
  // The lease of a killed worker remains for some seconds.
  const alive = worker !== undefined && worker.pid !== last?.pid;
  return {
    kills: hub.kills.kills.length,
    ...counted,
    ...(last === undefined ? {} : { killed_at: last.at }),
    ...(alive ? { worker } : {}),
    ...(loss === undefined ? {} : { loss }),
  };
}

export async function killWorker(hub: Hub, actor: Actor): Promise<DemoState> {
  const worker = await localWorker(hub);
  if (worker === undefined || worker.pid === hub.kills.kills.at(-1)?.pid) {
    throw new TRPCError({ code: "PRECONDITION_FAILED", message: "no worker of this machine is alive now" });
  }
  const live = [...hub.model.rows.values()].filter((row) => {
    const index = indexOfRow(row);
    return index === "active" || index === "pending_completion";
  });
  await hub.kills.remember(
    live.map((row) => row.id),
    { worker: worker.id, pid: worker.pid, at: Date.now() },
  );
  process.kill(worker.pid, "SIGKILL");
  await hub.audit.append({
    ...actor,
    action: "kill worker",
    ids: [worker.id],
    result: `SIGKILL to pid ${worker.pid}`,
  });
  return demoState(hub);
}

async function localWorker(hub: Hub): Promise<DemoState["worker"]> {
  for (const { id, lease } of await hub.workers.list()) {
    if (lease.kind !== "ok" || lease.value.host !== hostname()) continue;
    return { id, pid: lease.value.pid, since: Date.parse(lease.value.started_at_utc) };
  }
  return undefined;
}
