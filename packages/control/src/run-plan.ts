/**
 * The second half of every action: carries out exactly the planned ids, once. Records are purged and pruned at once,
 * without any worker; what needs a file or S3 becomes a request to the workers under the plan's own token, so that
 * repeated calls file one request. Results are kept for a day for everyone, and each step is in the audit log.
 */
import { randomUUID } from "node:crypto";
import {
  AuditLog,
  Plans,
  REQUEST_ACTIONS,
  RequestQueue,
  redisNowMs,
  type AuditItem,
  type ItemResult,
  type NewRequest,
  type PlanOptions,
  type PlanRecord,
  type PlanResult,
  type RequestAction,
  type SchemaContext,
} from "@sluice/redis-schema";
import { carryOut, type CarriedOut, type RecordPlan } from "./carry-out.ts";
import type { Draft } from "./draft.ts";
import { stillAsPlanned } from "./still-as-planned.ts";

/** Who acts, for the audit log. */
export interface Actor {
  who: string;
  /** An address, or "command line". */
  from: string;
}

/** Ids listed in an audit entry, and those of them that are named; the rest is in the plan's results. */
const MAX_AUDITED_IDS = 1_000;
const MAX_NAMED_ITEMS = 200;

/** `typed`: what must be typed to confirm. The plan is not saved yet. */
export async function planOf(
  context: SchemaContext,
  { who }: Pick<Actor, "who">,
  { action, items, counts, bytes, options }: Draft,
  typed: string | null,
): Promise<PlanRecord> {
  return {
    token: randomUUID(),
    action,
    ids: items.map(({ id }) => id),
    counts,
    bytes,
    options: { ...options, named: namesOf(items), typed },
    who,
    ...(await new Plans(context).lifetime()),
  };
}

function namesOf(items: Draft["items"]): NonNullable<PlanOptions["named"]> {
  return Object.fromEntries(
    items
      .slice(0, MAX_NAMED_ITEMS)
      .map(({ id, name, key, bytes, parts }) => [
        id,
        { name, bytes, ...(key === undefined ? {} : { key }), ...(parts === undefined ? {} : { parts }) },
      ]),
  );
}

type Results = Readonly<Record<string, PlanResult | undefined>>;

/** What the audit log keeps of a plan's items: what was planned, and what became of it where that is known. */
function auditedItems(plan: PlanRecord, results: Results): AuditItem[] {
  const named = new Map(Object.entries(plan.options?.named ?? {}));
  return plan.ids.slice(0, MAX_NAMED_ITEMS).map((id) => {
    const { result, detail } = results[id] ?? {};
    return {
      id,
      ...named.get(id),
      ...(result === undefined ? {} : { result }),
      ...(detail === undefined ? {} : { detail }),
    };
  });
}

/** `execution` identifies the process that carries it out; from here on the plan is kept for a day. */
export async function takePlan(
  context: SchemaContext,
  token: string,
  execution: string,
): ReturnType<Plans["consume"]> {
  const plans = new Plans(context);
  const taken = await plans.consume(token, execution);
  if (taken.kind === "ok") await plans.record(token, new Map());
  return taken;
}

export interface HowToCarryOut {
  reason: string | undefined;
  /** Stops between two chunks; the remaining items have no result. */
  signal?: AbortSignal;
  onProgress?: (done: number, of: number) => void;
}

/**
 * Carries out a plan on records alone; a repeated call does what is left. The removal of records is audited before the
 * first one is removed: even if Redis or this process fails meanwhile, the audit log says that it was started.
 */
export async function carryOutAudited(
  context: SchemaContext,
  plan: RecordPlan,
  actor: Actor,
  how: HowToCarryOut,
): Promise<CarriedOut> {
  const enter = (result: string, results: Results = {}) =>
    audit(context, actor, { ...entryOf(plan, results), result, reason: how.reason });
  const outcome = (results: Results) => summary(plan.ids, results);
  const brokeOff = async (error: unknown): Promise<never> => {
    const soFar = new Plans(context).results(plan.token);
    // Redis may refuse this entry too: the first entry exists, and the caller must get the original error.
    await Promise.allSettled([
      soFar.then((known) => {
        const results = Object.fromEntries(known);
        return enter(`broke off: ${outcome(results)}`, results);
      }),
    ]);
    throw error;
  };
  const begun = { ...how, who: actor.who, onBegin: () => enter("begun") };
  const carried = await carryOut(context, plan, begun).catch(brokeOff);
  const results = Object.fromEntries(carried.results);
  if (carried.touched) await enter(outcome(results), results);
  return carried;
}

/** Requests a plan from the workers, for the items that have not changed since; a repeated call requests the same. */
export async function askForPlan(
  context: SchemaContext,
  plan: PlanRecord,
  actor: Actor,
  reason: string | undefined,
): Promise<{ items: string[]; isNew: boolean }> {
  const items = await stillAsPlanned(context, plan);
  if (items.length === 0) {
    await audit(context, actor, {
      ...entryOf(plan, {}),
      result: "nothing: all items have changed",
      reason,
    });
    return { items, isNew: false };
  }
  const { token: id, options } = plan;
  const asked = new Set(items);
  const named = auditedItems(plan, {}).filter((item) => asked.has(item.id));
  const request = options?.request === undefined ? {} : { options: options.request };
  // The plan's action was checked when the plan was made.
  const action = plan.action as RequestAction;
  const isNew = await fileRequest(context, actor, { id, action, items, named, reason, plan: id, ...request });
  return { items, isNew };
}

export interface Ask extends Pick<NewRequest, "id" | "action" | "items" | "options"> {
  reason?: string | undefined;
  /** The plan's token, if a plan makes the request, and its items by name. */
  plan?: string;
  named?: readonly AuditItem[];
}

/** False: it was filed before, and nothing changed. */
export async function fileRequest(
  context: SchemaContext,
  actor: Actor,
  { plan, named, reason, ...ask }: Ask,
): Promise<boolean> {
  const filed = await new RequestQueue(context).file({
    ...ask,
    ...actor,
    ...(reason === undefined ? {} : { reason }),
    filed_at_utc: new Date(await redisNowMs(context)).toISOString(),
  });
  if (filed.kind !== "filed") return false;
  await audit(context, actor, {
    action: ask.action,
    ids: ask.items,
    items: named,
    result: "requested from the workers",
    reason,
    plan,
  });
  return true;
}

/** Enters what the workers answered, once every item has a result. */
export async function auditAnswers(
  context: SchemaContext,
  plan: PlanRecord,
  actor: Actor,
  reason: string | undefined,
): Promise<void> {
  const results = Object.fromEntries(await planResults(context, plan));
  await audit(context, actor, { ...entryOf(plan, results), result: summary(plan.ids, results), reason });
}

/** The results of a plan so far, by id: from the plan itself, and from the workers if they were asked. */
export async function planResults(
  context: SchemaContext,
  plan: PlanRecord,
): Promise<Map<string, PlanResult & Partial<ItemResult>>> {
  const planned = await new Plans(context).results(plan.token);
  if (!isAskedOfWorkers(plan)) return planned;
  const request = await new RequestQueue(context).read(plan.token);
  return new Map([...planned, ...(request.kind === "ok" ? Object.entries(request.value.results) : [])]);
}

/** Whether workers carry the plan out, as a request; otherwise records alone change. */
export function isAskedOfWorkers({ action }: Pick<PlanRecord, "action">): boolean {
  return REQUEST_ACTIONS.some((known) => known === action);
}

/** "2 done, 1 refused, 1 not answered yet" */
export function summary(
  ids: readonly string[],
  results: Readonly<Record<string, Pick<PlanResult, "result"> | undefined>>,
): string {
  const counts = { done: 0, refused: 0, failed: 0, "not answered yet": 0 };
  for (const id of ids) counts[results[id]?.result ?? "not answered yet"] += 1;
  return Object.entries(counts)
    .filter(([, number]) => number > 0)
    .map(([result, number]) => `${number} ${result}`)
    .join(", ");
}

interface AuditWords {
  action: string;
  ids: readonly string[];
  items?: readonly AuditItem[] | undefined;
  result: string;
  reason: string | undefined;
  plan?: string | undefined;
}

function entryOf(plan: PlanRecord, results: Results): Pick<AuditWords, "action" | "ids" | "items" | "plan"> {
  const { action, ids, token } = plan;
  return { action, ids, items: auditedItems(plan, results), plan: token };
}

/** Writes one entry of the audit log. Rejects with CheckpointError if Redis does not answer. */
export function audit(
  context: SchemaContext,
  actor: Actor,
  { ids, items, result, reason, plan, action }: AuditWords,
): Promise<void> {
  const named = ids.slice(0, MAX_AUDITED_IDS);
  return new AuditLog(context).append({
    ...actor,
    action,
    ids: named,
    result: named.length < ids.length ? `${result} (${ids.length} ids in all)` : result,
    ...(items === undefined || items.length === 0 ? {} : { items: [...items] }),
    ...(plan === undefined ? {} : { plan }),
    ...(reason === undefined ? {} : { reason }),
  });
}
