/** `sluice abort`: ends live streams. Their parts in S3 are lost, their files stay. */
import { choose, readRows } from "@sluice/control/choose";
import { draftAbort, type Draft } from "@sluice/control/draft";
import type { Command } from "commander";
import { addPlanOptions, planOrRun, type PlanFlags } from "../actions/planned-action.ts";
import { findNamed } from "../find-streams.ts";
import { addJson } from "../options.ts";
import { performOnRedis, type Session } from "../session.ts";

export function addAbort(program: Command): void {
  const command = program
    .command("abort")
    .summary("end live streams")
    .description(
      "End live streams: their uploads are aborted, so their parts in S3 are lost. Files are not touched.",
    )
    .argument("[id...]", "stream ids or prefixes of ids");
  addJson(addPlanOptions(command)).action(async (ids: string[], flags: PlanFlags) => {
    await performOnRedis(flags, (session) =>
      planOrRun(session, "abort", ["abort"], flags, () => draftOf(session, ids)),
    );
  });
}

async function draftOf({ reader }: Session, given: readonly string[]): Promise<Draft> {
  const ids = await findNamed(reader, given);
  return draftAbort(choose("abort", await readRows(reader, ids)));
}
