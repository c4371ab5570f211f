/** The second half of every action, for pages: returns once the plan is started; progress is read from Redis. */
import { randomUUID } from "node:crypto";
import { isRecordPlan, type RecordPlan } from "@sluice/control/carry-out";
import {
  askForPlan,
  auditAnswers,
  carryOutAudited,
  summary,
  takePlan,
  type Actor,
} from "@sluice/control/run-plan";
import { CheckpointError } from "@sluice/core/errors";
import type { PlanRecord } from "@sluice/redis-schema/records/plan";
import { TRPCError } from "@trpc/server";
import { log, type Hub } from "../hub.ts";
import { pause } from "../read-model/read-model.ts";

/**
 * Identifies this process as the one that carries a plan out: another process that gets the same plan does not touch
 * it.
 */
const EXECUTION = randomUUID();

/** Plans that this process is confirming, and those it carries out: a second click joins the first. */
const confirming = new Set<string>();
const carrying = new Set<string>();

export function isRunning(token: string): boolean {
  return confirming.has(token) || carrying.has(token);
}

export async function runPlan(
  hub: Hub,
  actor: Actor,
  token: string,
  typed: string,
  reason: string | undefined,
): Promise<void> {
  const seen = await hub.plans.load(token);
  if (seen.kind === "absent") throw expired();
  if (seen.kind === "corrupt") throw unreadable();
  const word = seen.value.options?.typed;
  if (typeof word === "string" && typed.trim() !== word) {
    throw new TRPCError({ code: "PRECONDITION_FAILED", message: `type ${word} to confirm` });
  }
  if (isRunning(token)) return;
  confirming.add(token);
  try {
    const taken = await takePlan(hub.context, token, EXECUTION);
    if (taken.kind === "absent") throw expired();
    if (taken.kind === "corrupt") throw unreadable();
    if (taken.kind === "ok") await start(hub, actor, taken.value, reason);
  } finally {
    confirming.delete(token);
  }
}

function expired(): TRPCError {
  return new TRPCError({ code: "NOT_FOUND", message: "the plan has expired: make a new one" });
}

function unreadable(): TRPCError {
  return new TRPCError({ code: "PRECONDITION_FAILED", message: "the plan cannot be read: make a new one" });
}

/** Only for a plan that was confirmed before. */
export async function resumePlan(hub: Hub, actor: Actor, token: string): Promise<void> {
  const plan = await hub.plans.load(token);
  if (plan.kind !== "ok" || plan.value.consumed_by === undefined) {
    throw new TRPCError({ code: "PRECONDITION_FAILED", message: "this plan was never confirmed" });
  }
  if (!isRunning(token)) await start(hub, actor, plan.value, undefined);
}

async function start(hub: Hub, actor: Actor, plan: PlanRecord, reason: string | undefined): Promise<void> {
  if (!isRecordPlan(plan)) {
    const { items, isNew } = await askForPlan(hub.context, plan, actor, reason);
    if (isNew)
      enterAnswers(hub, actor, { ...plan, ids: items }, reason).catch((error: unknown) => {
        log("error", `the answers to ${plan.action} were not audited`, {
          plan: plan.token,
          error: String(error),
        });
      });
    return;
  }
  carryOut(hub, actor, plan, reason).catch((error: unknown) => {
    log("error", `${plan.action} broke off`, { plan: plan.token, error: String(error) });
  });
}

/** Workers answer within moments, or when a recorder's volume is back: after that the results of the plan say it. */
const WAIT_FOR_ANSWERS_MS = 3_600_000;
const LOOK_EVERY_MS = 1_000;

/** `plan`: with the items that were asked for; others had changed since it was made. */
async function enterAnswers(
  hub: Hub,
  actor: Actor,
  plan: PlanRecord,
  reason: string | undefined,
): Promise<void> {
  const until = Date.now() + WAIT_FOR_ANSWERS_MS;
  const items = new Set(plan.ids).size;
  while (Date.now() < until && !hub.drain.signal.aborted) {
    await pause(LOOK_EVERY_MS, hub.drain.signal);
    const answered = await hub.requests.answered(plan.token).catch((error: unknown) => {
      if (!(error instanceof CheckpointError)) throw error;
      return 0;
    });
    // The request has expired.
    if (answered === undefined) return;
    if (answered >= items) return auditAnswers(hub.context, plan, actor, reason);
  }
}

async function carryOut(hub: Hub, actor: Actor, plan: RecordPlan, reason: string | undefined): Promise<void> {
  if (carrying.has(plan.token)) return;
  carrying.add(plan.token);
  try {
    const { results, touched } = await carryOutAudited(hub.context, plan, actor, { reason });
    if (!touched) return;
    const result = summary(plan.ids, Object.fromEntries(results));
    log("info", `${plan.action} carried out`, { plan: plan.token, who: actor.who, result });
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    // Finished items are recorded; the page shows the plan as interrupted and offers to resume it.
    log("warn", `${plan.action} was interrupted: ${error.message}`, { plan: plan.token });
  } finally {
    carrying.delete(plan.token);
  }
}
