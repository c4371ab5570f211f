/**
 * What an operator does from dashboard or command line: the drafts and plans of `packages/control`, for streams as they are
 * then. At the end whoever ended a stream asks for its file again, so that every file has to be in an object.
 */
import { choose, choosePrunable, readRows, sourcesAlive, type Chosen } from "@sluice/control/choose";
import { isRecordPlan } from "@sluice/control/carry-out";
import {
  draftAbort,
  draftFinalize,
  draftPrune,
  draftPurge,
  draftRetry,
  draftRetryPath,
  draftSalvage,
  type Draft,
} from "@sluice/control/draft";
import { askForPlan, carryOutAudited, planOf, takePlan } from "@sluice/control/run-plan";
import { keysWith, Plans, RequestQueue, StreamReader, type SchemaContext } from "@sluice/redis-schema";
import type { Reply } from "../redis/commands.ts";
import { connect } from "../redis/client.ts";
import { SimulatedProcess } from "../world/process.ts";
import type { World } from "../world/world.ts";
import type { Action } from "./plan.ts";

type Asked = Extract<Action, { kind: "ask" }>["action"];
type Planned = Exclude<Asked, "verify" | "list_parts" | "scan_orphans">;

const LIVE = ["active", "pending_completion"];
const LISTS: Record<Exclude<Asked, "prune_history" | "scan_orphans">, readonly string[]> = {
  finalize: LIVE,
  abort: LIVE,
  list_parts: ["active"],
  retry: ["failed"],
  purge: ["failed"],
  salvage: ["failed"],
  verify: ["completed"],
};
const ACTOR = { who: "operator", from: "simulation" };

export function ask(world: World, { action, seed }: Extract<Action, { kind: "ask" }>): void {
  const context = operator(world, seed);
  act(world, context, async () => {
    switch (action) {
      case "scan_orphans":
        return await file(context, `request-${seed}`, action, ["*"]);
      case "verify":
      case "list_parts":
        return await file(context, `request-${seed}`, action, idsIn(world, LISTS[action]));
      default:
        return await carryOut(context, await draftOf(world, context, action));
    }
  });
}

/** Takes back what was aborted or purged: aborted streams have failed, files of purged ones are in `files:ignored`. */
export function askAgain(world: World): void {
  const { database } = world.redis;
  const aborted = idsIn(world, LISTS.retry).filter((id) => {
    const [status, path = ""] = texts(
      database.execute(["HMGET", `stream:${id}:meta`, "status", "original_path"]),
    );
    return status === "failed_aborted_by_operator" && world.disk.has(path);
  });
  const marks = texts(database.execute(["HKEYS", "files:ignored"]));
  const purged = marks.filter((mark) => world.disk.has(mark.slice(mark.indexOf(":") + 1)));
  if (aborted.length + purged.length === 0) return;
  const context = operator(world, world.timeline.nowMs);
  act(world, context, async () => {
    const rows = await readRows(new StreamReader(context), aborted);
    await carryOut(context, await draftRetry(context, choose("retry", rows)));
    await carryOut(context, draftRetryPath(purged));
  });
}

type Context = SchemaContext & { process: SimulatedProcess };

function operator({ redis, timeline, random }: World, seed: number): Context {
  const process = new SimulatedProcess({
    name: "operator",
    pid: 2,
    timeline,
    random: random.fork(`operator ${seed}`),
  });
  return { process, redis: connect(redis, process), keys: keysWith(""), clock: process.clock };
}

function act(world: World, { process }: Context, what: () => Promise<void>): void {
  // Redis may be away: whoever asks asks again, or not.
  process.run(what).catch((error: unknown) => world.say(`operator: ${String(error)}`));
}

async function draftOf(world: World, context: Context, action: Planned): Promise<Draft> {
  if (action === "prune_history")
    return draftPrune(await choosePrunable(context, 0), { cutoff: context.clock.wallMs(), olderThanMs: 0 });
  const rows = await readRows(new StreamReader(context), idsIn(world, LISTS[action]));
  const facts = action === "salvage" ? await sourcesAlive(context) : undefined;
  const chosen: Chosen = choose(action, rows, undefined, facts);
  switch (action) {
    case "finalize":
      return draftFinalize(chosen, { force: false, nowMs: context.clock.wallMs() });
    case "retry":
      return await draftRetry(context, chosen);
    case "abort":
      return draftAbort(chosen);
    case "purge":
      return draftPurge(chosen, "lose");
    case "salvage":
      return draftSalvage(chosen);
  }
}

async function carryOut(context: Context, draft: Draft): Promise<void> {
  if (draft.items.length === 0) return;
  const plan = await planOf(context, ACTOR, draft, draft.typed ?? null);
  await new Plans(context).save(plan);
  const taken = await takePlan(context, plan.token, plan.token);
  if (taken.kind !== "ok") return;
  if (isRecordPlan(taken.value)) await carryOutAudited(context, taken.value, ACTOR, { reason: undefined });
  else await askForPlan(context, taken.value, ACTOR, undefined);
}

async function file(
  context: Context,
  id: string,
  action: "verify" | "list_parts" | "scan_orphans",
  items: string[],
): Promise<void> {
  if (items.length === 0) return;
  const filed_at_utc = new Date(context.clock.wallMs()).toISOString();
  await new RequestQueue(context).file({ id, action, items, who: ACTOR.who, filed_at_utc });
}

function idsIn({ redis }: World, lists: readonly string[]): string[] {
  return lists.flatMap((list) => texts(redis.database.execute(["ZRANGE", `streams:${list}`, "0", "-1"])));
}

function texts(reply: Reply): string[] {
  return Array.isArray(reply) ? reply.filter((one) => typeof one === "string") : [];
}
