/** `sluice adopt`: hands the live streams of a source that is gone to the worker that has its files now. */
import { INDEXES, INDEX_OF, isLive, KINDS } from "@sluice/core";
import { draftAdopt, type Draft } from "@sluice/control/draft";
import type { Command } from "commander";
import { addPlanOptions, planOrRun, type PlanFlags } from "../actions/planned-action.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { addJson } from "../options.ts";
import { performOnRedis, type Session } from "../session.ts";
import { collect, selectRows } from "../stream-rows.ts";

interface AdoptFlags extends PlanFlags {
  from?: string;
}

const LIVE_INDEXES = INDEXES.filter((index) =>
  KINDS.some((kind) => isLive(kind) && INDEX_OF[kind] === index),
);

export function addAdopt(program: Command): void {
  const command = program
    .command("adopt")
    .summary("take over the streams of a source that is gone")
    .description(
      "Hand the live streams of a source that is gone to the worker whose watch has their files. Each file must be the same as before: inode and birth time are compared.",
    )
    .option("--from <source>", "the source that is gone");
  addJson(addPlanOptions(command)).action(async (flags: AdoptFlags) => {
    await performOnRedis(flags, (session) =>
      planOrRun(session, "adopt", ["adopt"], flags, () => draftOf(session, flags.from)),
    );
  });
}

async function draftOf(session: Session, from: string | undefined): Promise<Draft> {
  const { reader, out } = session;
  if (from === undefined)
    throw new CliError(EXIT.usage, "--from <source> is required: the source that is gone.");
  await refuseLiving(session, from);
  const rows = await collect(selectRows(reader, LIVE_INDEXES, { source: from }, out.nowMs));
  return draftAdopt(rows, from);
}

async function refuseLiving({ registry }: Session, source: string): Promise<void> {
  const alive = (await registry.list()).find(
    ({ lease }) => lease.kind === "ok" && lease.value.source === source,
  );
  if (alive)
    throw new CliError(EXIT.failed, `The source ${source} is not gone: worker ${alive.id} is running there.`);
}
