/**
 * Work that needs a file or the bucket is requested from the workers: the request is filed once under an id, then the
 * command waits. A request that is not answered in time stays filed, and the user gets its id.
 */
import { CheckpointError } from "@sluice/core";
import { audit, fileRequest, summary, type Ask } from "@sluice/control/run-plan";
import { plural } from "@sluice/control/units";
import type { ItemResult, RequestRecord } from "@sluice/redis-schema";
import { systemClock } from "@sluice/control/system-clock";
import { CliError, EXIT } from "../exit-codes.ts";
import type { Session } from "../session.ts";

export const DEFAULT_WAIT_MS = 30_000;
const LOOK_EVERY_MS = 200;

/** Why not every item has a result. */
export type Unanswered = "in_time" | "no_worker" | "interrupted";

export interface Answers {
  results: Record<string, ItemResult>;
  /** Undefined when every item has a result. */
  unanswered: Unanswered | undefined;
}

export async function askWorkers(session: Session, ask: Ask, waitMs: number): Promise<Answers> {
  const isNew = await fileRequest(session.context, session.actor, ask);
  return await answersTo(session, ask, { isNew, waitMs });
}

/** `isNew`: the request was filed just now, so its result belongs in the audit log. */
export async function answersTo(
  session: Session,
  ask: Pick<Ask, "id" | "action" | "items" | "reason" | "plan">,
  { isNew, waitMs }: { isNew: boolean; waitMs: number },
): Promise<Answers> {
  const answers = await waitForAnswers(session, ask, waitMs);
  if (isNew) {
    const { action, items: ids, reason, plan } = ask;
    const result = summary(ids, answers.results);
    await audit(session.context, session.actor, { action, ids, result, reason, plan });
  }
  return answers;
}

async function waitForAnswers(
  session: Session,
  { id, items }: Pick<Ask, "id" | "items">,
  waitMs: number,
): Promise<Answers> {
  const { out, signal, registry } = session;
  const deadline = performance.now() + waitMs;
  const hasWorker = await isAnyAlive(registry);
  // Read the whole reply only once, when all items are answered or the wait is over: a request may have 10,000 items.
  const whole = async (unanswered: Unanswered): Promise<Answers> => {
    const seen = await read(session, id);
    const settled = seen?.state === "settled";
    return {
      results: seen?.results ?? (Object.create(null) as Answers["results"]),
      unanswered: settled ? undefined : unanswered,
    };
  };
  for (;;) {
    const answered = (await answeredItems(session, id)) ?? 0;
    if (answered >= new Set(items).size) return await whole("in_time");
    if (signal.aborted) return await whole("interrupted");
    if (!hasWorker) return await whole("no_worker");
    if (performance.now() >= deadline) return await whole("in_time");
    out.progress(`${answered} of ${plural(items.length, "item")} answered …`);
    await systemClock.sleep(LOOK_EVERY_MS, signal);
  }
}

/** Undefined while Redis is unavailable. */
async function answeredItems({ requests }: Session, id: string): Promise<number | undefined> {
  return await requests.answered(id).catch((error: unknown) => {
    if (!(error instanceof CheckpointError)) throw error;
    return undefined;
  });
}

/** Undefined while Redis is unavailable: the request stays filed, and its result can be read once Redis is back. */
async function read(
  { requests }: Session,
  id: string,
): Promise<Pick<RequestRecord, "results" | "state"> | undefined> {
  const request = await requests.read(id).catch((error: unknown) => {
    if (!(error instanceof CheckpointError)) throw error;
    return undefined;
  });
  if (request === undefined) return undefined;
  if (request.kind === "ok") return request.value;
  const what = request.kind === "absent" ? "no longer exists in Redis" : `cannot be read: ${request.detail}`;
  throw new CliError(EXIT.failed, `The request ${id} ${what}.`);
}

/** `draining` workers still finish the requests they hold. */
async function isAnyAlive(registry: Session["registry"]): Promise<boolean> {
  return (await registry.list()).some(({ lease }) => lease.kind === "ok");
}

/** `again`: the command that shows the result later. */
export function reportUnanswered(session: Session, why: Unanswered, id: string, again: string): void {
  const { out } = session;
  const stays = `The request stays filed for a day as ${id}; "${again}" shows the result.`;
  const reasons: Record<Unanswered, string> = {
    in_time: `No worker has answered in time. ${stays}`,
    no_worker: `No worker is alive. The request is carried out when one starts. ${stays}`,
    interrupted: `Interrupted. ${stays}`,
  };
  out.failure(EXIT_OF_UNANSWERED[why], reasons[why]);
}

export const EXIT_OF_UNANSWERED = {
  in_time: EXIT.tryAgain,
  no_worker: EXIT.unavailable,
  interrupted: EXIT.interrupted,
} as const;
