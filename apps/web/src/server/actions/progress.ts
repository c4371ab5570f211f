/**
 * The results of a plan, item by item, read from Redis: they outlive the browser tab and the process that carried it
 * out.
 */
import { PLAN_ACTIONS } from "@sluice/control/actions";
import { isAskedOfWorkers, planResults } from "@sluice/control/run-plan";
import { fileName, pathOf } from "@sluice/control/stream-row";
import type { PlanRecord } from "@sluice/redis-schema/records/plan";
import { TRPCError } from "@trpc/server";
import { MAX_SHOWN_RESULTS, type PlanProgress } from "../../actions/plan-view.ts";
import type { Hub } from "../hub.ts";
import { isRunning } from "./run-plan.ts";

type Shown = PlanProgress["results"][number];

export async function planProgress(hub: Hub, token: string): Promise<PlanProgress> {
  const plan = await hub.plans.load(token);
  if (plan.kind !== "ok")
    throw new TRPCError({ code: "NOT_FOUND", message: "the plan does not exist or has expired" });
  const { ids, consumed_by } = plan.value;
  const action = PLAN_ACTIONS.find((known) => known === plan.value.action) ?? "purge";
  const results = await planResults(hub.context, plan.value);
  const shown = ids.map((id): Shown => {
    const result = results.get(id);
    return {
      id,
      name: nameOf(hub, plan.value, id),
      result: result?.result ?? "waiting",
      ...detailOf(result?.detail),
    };
  });
  const count = (result: Shown["result"]) => shown.filter((item) => item.result === result).length;
  const waiting = count("waiting");
  return {
    token,
    action,
    state: stateOf({
      confirmed: consumed_by !== undefined || isRunning(token),
      waiting,
      // A request without an answer yet is still being handled by the workers.
      isInProgress: isRunning(token) || isAskedOfWorkers(plan.value),
    }),
    items: ids.length,
    done: count("done"),
    refused: count("refused"),
    failed: count("failed"),
    waiting,
    results: shown.sort((a, b) => WEIGHT[a.result] - WEIGHT[b.result]).slice(0, MAX_SHOWN_RESULTS),
  };
}

/** Problems come first. */
const WEIGHT: Record<Shown["result"], number> = { failed: 0, refused: 1, waiting: 2, done: 3 };

function stateOf(facts: {
  confirmed: boolean;
  waiting: number;
  isInProgress: boolean;
}): PlanProgress["state"] {
  if (!facts.confirmed) return "planned";
  if (facts.waiting === 0) return "finished";
  return facts.isInProgress ? "running" : "interrupted";
}

/** A purged stream has no record any longer: the plan knows what it was. */
function nameOf(hub: Hub, { options }: PlanRecord, id: string): string {
  const row = hub.model.rows.get(id);
  const path = row === undefined ? options?.named?.[id]?.name : pathOf(row);
  return path === undefined ? id : fileName(path);
}

function detailOf(detail: string | undefined): { detail?: string } {
  return detail === undefined ? {} : { detail };
}
