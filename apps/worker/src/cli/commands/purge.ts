/** `sluice purge`: removes records of failed streams, or of the history. Local files and finished objects stay. */
import { choose, choosePrunable, readRows } from "@sluice/control/choose";
import { draftPrune, draftPurge, type Draft, type PurgeUploads } from "@sluice/control/draft";
import { Option, type Command } from "commander";
import { addPlanOptions, planOrRun, type PlanFlags } from "../actions/planned-action.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { findStreams } from "../find-streams.ts";
import { addFilters, addJson, type FilterFlags } from "../options.ts";
import { performOnRedis, type Session } from "../session.ts";
import { collect, selectRows } from "../stream-rows.ts";

interface PurgeFlags extends PlanFlags, FilterFlags {
  all?: true;
  completed?: true;
  uploads: PurgeUploads;
}

export function addPurge(program: Command): void {
  const command = program
    .command("purge")
    .summary("remove records of failed streams, or history")
    .description(
      "Remove the records of failed streams. Their files stay and are ignored until they change or are retried by path. Needs no worker.",
    )
    .argument("[id...]", "ids of failed streams or prefixes of ids")
    .option("--all", "every failed stream that matches the filters")
    .option("--completed", "remove completed streams from the history instead; requires --older-than")
    .addOption(
      new Option(
        "--uploads <choice>",
        "what becomes of their open uploads in S3; abort keeps those that are the only copy of a file, lose aborts them too",
      )
        .choices(["abort", "keep", "lose"])
        .default("abort"),
    );
  addJson(addPlanOptions(addFilters(command))).action(async (ids: string[], flags: PurgeFlags) => {
    await performOnRedis(flags, (session) =>
      planOrRun(session, "purge", ["purge", "prune_history"], flags, () => draftOf(session, ids, flags)),
    );
  });
}

async function draftOf(session: Session, ids: readonly string[], flags: PurgeFlags): Promise<Draft> {
  const { reason, source, watch, path, olderThan } = flags;
  const filter = { reasons: reason, source, watch, path, olderThan };
  const narrows = [reason, source, watch, path].some((value) => value !== undefined);
  if (flags.completed) {
    if (narrows || ids.length > 0 || flags.all)
      throw new CliError(
        EXIT.usage,
        "--completed can only be combined with --older-than: history is removed by age.",
      );
    const olderThanMs = olderThan ?? 0;
    const { cutoff, ...chosen } = await choosePrunable(session.context, olderThanMs);
    return draftPrune(chosen, { cutoff, olderThanMs });
  }
  const { reader, out } = session;
  if (ids.length > 0) {
    if (narrows || flags.all || olderThan !== undefined)
      throw new CliError(EXIT.usage, "Name streams, or filter them, but not both.");
    return draftPurge(choose("purge", await readRows(reader, await findStreams(reader, ids))), flags.uploads);
  }
  if (!narrows && !flags.all && olderThan === undefined)
    throw new CliError(EXIT.usage, "Name streams, filter them, or pass --all.");
  const matching = await collect(selectRows(reader, ["failed"], filter, out.nowMs));
  return draftPurge({ ...choose("purge", matching), excluded: [] }, flags.uploads);
}
