/** `sluice retry`: retries failed streams and uploads purged files again. Prints beforehand what will be sent again. */
import { resolve } from "node:path";
import { displayPath } from "@sluice/core";
import { choose, readRows } from "@sluice/control/choose";
import { draftRetry, draftRetryPath, type Draft } from "@sluice/control/draft";
import { IgnoredFiles } from "@sluice/redis-schema";
import type { Command } from "commander";
import { addPlanOptions, planOrRun, type PlanFlags } from "../actions/planned-action.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { findStreams } from "../find-streams.ts";
import { addFilters, addJson, type FilterFlags } from "../options.ts";
import { performOnRedis, type Session } from "../session.ts";
import { collect, selectRows } from "../stream-rows.ts";

interface RetryFlags extends PlanFlags, FilterFlags {
  all?: true;
}

export function addRetry(program: Command): void {
  const command = program
    .command("retry")
    .summary("retry failed streams, or upload purged files again")
    .description(
      "Retry failed streams; prints beforehand what will be sent again. A path selects its failed stream, or removes the mark that a purge left on the file.",
    )
    .argument("[id|path...]", "ids of failed streams, prefixes of ids, or file paths")
    .option("--all", "every failed stream that matches the filters");
  addJson(addPlanOptions(addFilters(command))).action(async (given: string[], flags: RetryFlags) => {
    await performOnRedis(flags, (session) =>
      planOrRun(session, "retry", ["retry", "retry_path"], flags, () => draftOf(session, given, flags)),
    );
  });
}

async function draftOf(session: Session, given: readonly string[], flags: RetryFlags): Promise<Draft> {
  const { reader, context } = session;
  if (flags.all) {
    // Superseded streams are included only if the user named them: then each gets the reason why it is not retried.
    const chosen = choose("retry", await collect(failedRows(session, flags)));
    return await draftRetry(context, { ...chosen, excluded: [] });
  }
  if (given.length === 0) throw new CliError(EXIT.usage, "Name streams or paths, or pass --all.");
  const targets = await Promise.all(given.map((text) => targetOf(session, text, flags)));
  const marks = targets.filter((target) => target.kind === "mark").map(({ item }) => item);
  if (marks.length === 0) {
    const ids = await findStreams(
      reader,
      targets.map(({ item }) => item),
    );
    return await draftRetry(context, choose("retry", await readRows(reader, ids)));
  }
  if (marks.length < targets.length) {
    throw new CliError(EXIT.usage, "Failed streams and purged files cannot be retried in one command.");
  }
  return draftRetryPath(marks);
}

function failedRows({ reader, out }: Session, { reason, ...filter }: RetryFlags) {
  return selectRows(reader, ["failed"], { ...filter, reasons: reason }, out.nowMs);
}

type Target = { kind: "stream"; item: string } | { kind: "mark"; item: string };

async function targetOf(session: Session, given: string, flags: RetryFlags): Promise<Target> {
  if (!given.includes("/")) return { kind: "stream", item: given };
  // An id that is no ULID may contain a slash too. A prefix of one may not: a path would be compared with every id.
  const [named] = await session.reader.rows([given]);
  if (named !== undefined) return { kind: "stream", item: given };
  const path = resolve(given);
  const failed = await failedAt(session, path, flags.source);
  if (failed !== undefined) return { kind: "stream", item: failed };
  const marks = await marksOf(session, path, flags.source);
  const [mark] = marks;
  if (mark === undefined)
    throw new CliError(EXIT.failed, `No failed stream and no purged file exists at ${path}.`);
  if (marks.length > 1) {
    throw new CliError(EXIT.failed, `Several sources have ${path}: pass --source.\n  ${marks.join("\n  ")}`);
  }
  return { kind: "mark", item: mark };
}

/** Of the purged files at this path. Without a source, or for a name that is not UTF-8, every mark is read. */
async function marksOf({ context }: Session, path: string, source: string | undefined): Promise<string[]> {
  const ignored = new IgnoredFiles(context);
  if (source !== undefined) {
    const mark = await ignored.get(source, path);
    if (mark !== undefined) return [displayPath(`${source}:${path}`)];
  }
  const fields = (await ignored.all()).map(({ field }) => displayPath(field));
  return fields.filter((field) =>
    source === undefined ? field.endsWith(`:${path}`) : field === `${source}:${path}`,
  );
}

async function failedAt({ reader, out }: Session, path: string, source: string | undefined) {
  for await (const row of selectRows(reader, ["failed"], { source, path }, out.nowMs)) {
    if (row.original_path === path && row.superseded_by === undefined) return row.id;
  }
  return undefined;
}
