/**
 * Plan, show, confirm, carry out: the same steps as in the dashboard. Exactly what was planned is carried out, once; a
 * second run with the same token only reports the result.
 */
import type { PlanAction } from "@sluice/control/actions";
import { isRecordPlan, type RecordPlan } from "@sluice/control/carry-out";
import type { Draft } from "@sluice/control/draft";
import { askForPlan, carryOutAudited, planOf, takePlan } from "@sluice/control/run-plan";
import { Plans, type PlanRecord, type RequestAction } from "@sluice/redis-schema";
import type { Command } from "commander";
import { CliError, EXIT, type ExitCode } from "../exit-codes.ts";
import { durationOption, wholeNumber } from "../options.ts";
import type { CommonFlags } from "../perform.ts";
import type { Session } from "../session.ts";
import {
  answersTo,
  DEFAULT_WAIT_MS,
  EXIT_OF_UNANSWERED,
  reportUnanswered,
  type Answers,
} from "./ask-workers.ts";
import { confirmed, type ConfirmFlags } from "./confirm.ts";
import { exitOf, printReport, resultRows, type ResultRow } from "./results.ts";
import { planToJson, showPlan } from "./show-plan.ts";

export interface PlanFlags extends CommonFlags, ConfirmFlags {
  plan?: true;
  execute?: string;
  because?: string;
  wait?: number;
}

export function addPlanOptions(command: Command): Command {
  return command
    .option("--yes", "continue without a confirmation")
    .option("--count <number>", "the number of items, for plans that must be confirmed by it", wholeNumber)
    .option("--confirm <words>", "the words that must be typed where an only copy would be lost")
    .option("--plan", "only make the plan, and print its token")
    .option("--execute <token>", "carry out an earlier plan")
    .option("--because <text>", "the reason, for the audit log")
    .addOption(durationOption("--wait <duration>", "how long to wait for the workers", DEFAULT_WAIT_MS));
}

/** `command`: as the user types it, for messages. */
export async function planOrRun(
  session: Session,
  command: string,
  actions: readonly PlanAction[],
  flags: PlanFlags,
  makeDraft: () => Promise<Draft>,
): Promise<ExitCode> {
  if (flags.execute !== undefined) return await execute(session, command, actions, flags, flags.execute);
  const draft = await makeDraft();
  if (draft.items.length === 0) return nothingToDo(session, draft);
  const needsEyes = !flags.json || (draft.confirm !== "none" && !flags.yes && !flags.plan);
  if (needsEyes) showPlan(session.out, draft);
  // The text that must be typed to confirm. It is stored with the plan, because the dashboard can carry it out too.
  const typed = draft.typed ?? (draft.confirm === "count" ? String(draft.items.length) : null);
  const plan = await planOf(session.context, session.actor, draft, typed);
  const plans = new Plans(session.context);
  if (flags.plan) {
    await plans.save(plan);
    if (flags.json) session.out.document(planToJson(plan, draft));
    else session.out.line(plan.token);
    return EXIT.ok;
  }
  const { confirm, items } = draft;
  await confirmed({ confirm, items: items.length, typed: draft.typed }, flags, askerOf(session));
  await plans.save(plan);
  const excluded = draft.excluded.map(({ id, why }): ResultRow => ({ id, result: "refused", detail: why }));
  return await run(session, command, flags, plan.token, excluded);
}

function nothingToDo({ out }: Session, { action, excluded }: Draft): ExitCode {
  const results = excluded.map(({ id, why }): ResultRow => ({ id, result: "refused", detail: why }));
  if (results.length > 0 || out.json) printReport(out, { token: "", action, results });
  else out.note("Nothing matches: nothing was done.");
  return exitOf(results);
}

/** Naming the token counts as yes; where the number of items must be typed, it must be given here too. */
async function execute(
  session: Session,
  command: string,
  actions: readonly PlanAction[],
  flags: PlanFlags,
  token: string,
): Promise<ExitCode> {
  const plan = await new Plans(session.context).load(token);
  if (plan.kind === "absent")
    throw new CliError(EXIT.failed, "The plan does not exist or has expired: make a new one.");
  if (plan.kind === "corrupt") throw new CliError(EXIT.failed, `The plan cannot be read: ${plan.detail}`);
  const { action, ids, options, consumed_by } = plan.value;
  if (!actions.some((known) => known === action)) {
    throw new CliError(EXIT.usage, `This is a plan to ${action}; "${command}" cannot carry it out.`);
  }
  const mustType = consumed_by === undefined && typeof options?.typed === "string";
  const what = { confirm: mustType ? ("count" as const) : ("none" as const), items: ids.length };
  const words = mustType && LOSES.test(options.typed ?? "") ? (options.typed ?? undefined) : undefined;
  await confirmed({ ...what, typed: words }, flags, askerOf(session));
  return await run(session, command, flags, token, []);
}

async function run(
  session: Session,
  command: string,
  flags: PlanFlags,
  token: string,
  excluded: readonly ResultRow[],
): Promise<ExitCode> {
  // The token also names its execution: a second run with it resumes where the first one stopped, and repeats nothing.
  const consumed = await takePlan(session.context, token, token);
  if (consumed.kind === "corrupt")
    throw new CliError(EXIT.failed, `The plan cannot be read: ${consumed.detail}`);
  if (consumed.kind !== "ok") {
    const why =
      consumed.kind === "absent" ? "has expired: make a new one" : "is being carried out by someone else";
    throw new CliError(EXIT.failed, `The plan ${why}.`);
  }
  const plan = consumed.value;
  const again = `sluice ${command} --execute ${token}`;
  if (isRecordPlan(plan)) return await runOnRecords(session, plan, { flags, excluded, again });
  // The plan's action was checked when the plan was loaded, or the plan was made here.
  return await runByWorkers(session, plan, plan.action as RequestAction, { flags, excluded, again });
}

interface RunFacts {
  flags: PlanFlags;
  excluded: readonly ResultRow[];
  /** The command that continues, or shows the result. */
  again: string;
}

/** Everything has changed since the plan was made, so no worker is asked. */
const NOTHING_ASKED: Answers = { results: {}, unanswered: undefined };

async function runByWorkers(
  session: Session,
  plan: PlanRecord,
  action: RequestAction,
  { flags, excluded, again }: RunFacts,
): Promise<ExitCode> {
  const { token: id, ids } = plan;
  const { items, isNew } = await askForPlan(session.context, plan, session.actor, flags.because);
  const ask = { id, action, items, reason: flags.because, plan: id };
  const { results, unanswered } =
    items.length === 0
      ? NOTHING_ASKED
      : await answersTo(session, ask, { isNew, waitMs: flags.wait ?? DEFAULT_WAIT_MS });
  const changed = Object.fromEntries(await new Plans(session.context).results(id));
  const rows = [...resultRows(ids, { ...changed, ...results }), ...excluded];
  printReport(session.out, { token: id, action: plan.action, results: rows });
  if (unanswered === undefined) return exitOf(rows);
  reportUnanswered(session, unanswered, id, again);
  return EXIT_OF_UNANSWERED[unanswered];
}

async function runOnRecords(
  session: Session,
  plan: RecordPlan,
  { flags, excluded, again }: RunFacts,
): Promise<ExitCode> {
  const { context, out, actor, signal } = session;
  const { token, action, ids } = plan;
  const { results } = await carryOutAudited(context, plan, actor, {
    reason: flags.because,
    signal,
    onProgress: (done, of) => out.progress(`${done} of ${of} done …`),
  });
  const byId = Object.fromEntries(results);
  const rows = [...resultRows(ids, byId), ...excluded];
  printReport(out, { token, action, results: rows });
  if (rows.every(({ result }) => result !== "waiting")) return exitOf(rows);
  out.note(`Interrupted: "${again}" continues.`);
  return EXIT.interrupted;
}

/** Words that name what is lost; anything else that is to be typed is a number or the action's name. */
const LOSES = /^lose /;

function askerOf({ signal }: Session) {
  return { input: process.stdin, output: process.stderr, signal };
}
