/**
 * Second half of every action: exactly the planned ids, once. Records are purged and pruned here, without any worker;
 * everything that needs a file or S3 becomes a request to the workers under the plan's own token, so that asking twice
 * asks once. Results stay for a day, whoever looks.
 */
import { randomUUID } from "node:crypto";
import { CheckpointError } from "@sluice/core/errors";
import { carryOut as carryOutPlan, isRecordPlan, type RecordPlan } from "@sluice/control/carry-out";
import type { RequestRecord } from "@sluice/redis-schema/records/request";
import { stillAsPlanned } from "@sluice/control/still-as-planned";
import type { PlanRecord, PlanResult } from "@sluice/redis-schema/records/plan";
import { redisNowMs } from "@sluice/redis-schema/server-clock";
import { TRPCError } from "@trpc/server";
import { log, type Hub } from "../hub.ts";

export interface Actor {
  who: string;
  /** Address. */
  from: string;
}

/** Ids named in an audit entry; the rest is in the plan's results. */
const MAX_AUDITED_IDS = 1_000;

/** Names this process as the one that carries a plan out: another that is asked for the same plan leaves it alone. */
const EXECUTION = randomUUID();

/** Plans that this process is confirming, and those it carries out: a second click joins the first. */
const confirming = new Set<string>();
const carrying = new Set<string>();

export function isRunning(token: string): boolean {
  return confirming.has(token) || carrying.has(token);
}

/** Returns once it is under way; progress is read from Redis. */
export async function runPlan(
  hub: Hub,
  actor: Actor,
  token: string,
  typed: string,
  reason: string | undefined,
): Promise<void> {
  const seen = await hub.plans.load(token);
  if (seen.kind === "absent") throw expired();
  if (seen.kind === "corrupt") {
    throw new TRPCError({ code: "PRECONDITION_FAILED", message: "the plan cannot be read: plan again" });
  }
  const word = seen.value.options?.["typed"];
  if (typeof word === "string" && typed.trim() !== word) {
    throw new TRPCError({ code: "PRECONDITION_FAILED", message: `type ${word} to confirm` });
  }
  if (isRunning(token)) return;
  confirming.add(token);
  try {
    const consumed = await hub.plans.consume(token, EXECUTION);
    if (consumed.kind === "absent") throw expired();
    if (consumed.kind === "ok") await start(hub, actor, consumed.value, reason);
  } finally {
    confirming.delete(token);
  }
}

function expired(): TRPCError {
  return new TRPCError({ code: "NOT_FOUND", message: "the plan has expired: plan again" });
}

async function start(hub: Hub, actor: Actor, plan: PlanRecord, reason: string | undefined): Promise<void> {
  // From here on it is kept for a day.
  await hub.plans.record(plan.token, new Map());
  if (!isRecordPlan(plan)) return file(hub, actor, plan, reason);
  carryOut(hub, actor, plan, reason).catch((error: unknown) => {
    log("error", `${plan.action} broke off`, { plan: plan.token, error: String(error) });
  });
}

/** Only what was confirmed before. */
export async function resumePlan(hub: Hub, actor: Actor, token: string): Promise<void> {
  const plan = await hub.plans.load(token);
  if (plan.kind !== "ok" || plan.value.consumed_by === undefined) {
    throw new TRPCError({ code: "PRECONDITION_FAILED", message: "this plan was never confirmed" });
  }
  if (!isRunning(token)) await start(hub, actor, plan.value, undefined);
}

async function file(hub: Hub, actor: Actor, plan: PlanRecord, reason: string | undefined): Promise<void> {
  const items = await stillAsPlanned(hub.context, plan);
  if (items.length === 0) return await audit(hub, actor, plan, reason, "nothing: all of it changed");
  const filed = await hub.requests.file({
    id: plan.token,
    action: plan.action as RequestRecord["action"],
    items,
    ...(plan.options?.["force"] === true ? { options: { force: true } } : {}),
    who: actor.who,
    from: actor.from,
    ...(reason === undefined ? {} : { reason }),
    filed_at_utc: new Date(await redisNowMs(hub.context)).toISOString(),
  });
  if (filed.kind === "filed") await audit(hub, actor, plan, reason, "asked of the workers");
}

async function carryOut(hub: Hub, actor: Actor, plan: RecordPlan, reason: string | undefined): Promise<void> {
  if (carrying.has(plan.token)) return;
  carrying.add(plan.token);
  try {
    const { results, touched } = await carryOutPlan(hub.context, plan, { who: actor.who, reason });
    if (!touched) return;
    await audit(hub, actor, plan, reason, summary(results));
    log("info", `${plan.action} carried out`, { plan: plan.token, who: actor.who, result: summary(results) });
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    // What is done is recorded; the page shows it as interrupted and offers to go on.
    log("warn", `${plan.action} was interrupted: ${error.message}`, { plan: plan.token });
  } finally {
    carrying.delete(plan.token);
  }
}

export function summary(results: ReadonlyMap<string, PlanResult>): string {
  const counts = { done: 0, refused: 0, failed: 0 };
  for (const { result } of results.values()) counts[result] += 1;
  const parts = [`${counts.done} done`];
  if (counts.refused > 0) parts.push(`${counts.refused} refused`);
  if (counts.failed > 0) parts.push(`${counts.failed} failed`);
  return parts.join(", ");
}

function audit(
  hub: Hub,
  actor: Actor,
  plan: PlanRecord,
  reason: string | undefined,
  result: string,
): Promise<void> {
  const ids = plan.ids.slice(0, MAX_AUDITED_IDS);
  return hub.audit.append({
    ...actor,
    action: plan.action,
    plan: plan.token,
    ids,
    result: ids.length < plan.ids.length ? `${result} (${plan.ids.length} ids in all)` : result,
    ...(reason === undefined ? {} : { reason }),
  });
}
