/** `sluice finalize`: completes files as they are now, without waiting for their writers. */
import { choose, readRows } from "@sluice/control/choose";
import { draftFinalize, type Draft } from "@sluice/control/draft";
import type { Command } from "commander";
import { addPlanOptions, planOrRun, type PlanFlags } from "../actions/planned-action.ts";
import { findNamed } from "../find-streams.ts";
import { addJson } from "../options.ts";
import { performOnRedis, type Session } from "../session.ts";

interface FinalizeFlags extends PlanFlags {
  force?: true;
}

export function addFinalize(program: Command): void {
  const command = program
    .command("finalize")
    .summary("complete files now")
    .description("Complete files as they are now: data written afterwards is not part of their objects.")
    .argument("[id...]", "stream ids or prefixes of ids")
    .option("--force", "complete a file even if a process has it open for writing");
  addJson(addPlanOptions(command)).action(async (ids: string[], flags: FinalizeFlags) => {
    await performOnRedis(flags, (session) =>
      planOrRun(session, "finalize", ["finalize"], flags, () => draftOf(session, ids, flags)),
    );
  });
}

async function draftOf(
  { reader, out }: Session,
  given: readonly string[],
  flags: FinalizeFlags,
): Promise<Draft> {
  const rows = await readRows(reader, await findNamed(reader, given));
  return draftFinalize(choose("finalize", rows), { force: flags.force === true, nowMs: out.nowMs });
}
