/** `sluice adopt`: gives the live streams of a source that is gone to the worker that has its files now. */
import { INDEXES, INDEX_OF, isLive, KINDS } from "@sluice/core";
import type { ListedStream } from "@sluice/redis-schema";
import type { Command } from "commander";
import { confirmFor, MAX_PLAN_ITEMS, type Draft } from "@sluice/control/draft";
import { addPlanOptions, planOrRun, type PlanFlags } from "../actions/planned-action.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { addJson } from "../options.ts";
import { count, size } from "../output/units.ts";
import { performOnRedis, type Session } from "../session.ts";
import { selectRows } from "../stream-rows.ts";

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
      "Give the live streams of a source that is gone to the worker whose watch has their files. Each file must be the same one: inode and birth time are compared.",
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
  if (from === undefined) throw new CliError(EXIT.usage, "Say --from <source>: the source that is gone.");
  await refuseLiving(session, from);
  const rows: ListedStream[] = [];
  for await (const row of selectRows(reader, LIVE_INDEXES, { source: from }, out.nowMs)) rows.push(row);
  const items = rows.slice(0, MAX_PLAN_ITEMS);
  const bytes = items.reduce((sum, row) => sum + (row.bytes_sent ?? 0), 0);
  return {
    action: "adopt",
    headline: `Adopt ${count(items.length, "live stream")} of the source ${from}.`,
    consequences: [
      `${size(bytes)} that are in S3 are kept; each stream resumes where it stopped.`,
      "Where this worker has begun the same file anew, the stream that has sent less gives way.",
      "The source must not come back under its old name for these files.",
    ],
    items: items.map((row) => ({ id: row.id, name: row.original_path ?? "", bytes: row.bytes_sent ?? 0 })),
    counts: { streams: items.length },
    bytes,
    options: { request: { from } },
    excluded: [],
    leftOut: rows.length - items.length,
    confirm: confirmFor(items.length, 0, "yes"),
  };
}

async function refuseLiving({ registry }: Session, source: string): Promise<void> {
  const alive = (await registry.list()).find(
    ({ lease }) => lease.kind === "ok" && lease.value.source === source,
  );
  if (alive)
    throw new CliError(EXIT.failed, `The source ${source} is not gone: worker ${alive.id} is at work there.`);
}
