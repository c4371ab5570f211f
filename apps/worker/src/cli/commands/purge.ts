/** `sluice purge`: removes records of failed streams, or of the history. Source files and finished objects stay. */
import { seenOf } from "@sluice/control/carry-out";
import { redisNowMs, type ListedStream } from "@sluice/redis-schema";
import { Option, type Command } from "commander";
import { chooseMatching, chooseNamed, type Chosen } from "../actions/choose-rows.ts";
import { confirmFor, MAX_PLAN_ITEMS, type Draft } from "@sluice/control/draft";
import { addPlanOptions, planOrRun, type PlanFlags } from "../actions/planned-action.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { findStreams } from "../find-streams.ts";
import { addFilters, addJson, type FilterFlags } from "../options.ts";
import { count, size, span } from "../output/units.ts";
import { performOnRedis, type Session } from "../session.ts";
import { hasUpload, selectRows, unsentBytes } from "../stream-rows.ts";

interface PurgeFlags extends PlanFlags, FilterFlags {
  all?: true;
  completed?: true;
  uploads: "abort" | "keep";
}

export function addPurge(program: Command): void {
  const command = program
    .command("purge")
    .summary("remove records of failed streams, or history")
    .description(
      "Remove the records of failed streams. Their files stay and are left alone until they change or are retried by path. Needs no worker.",
    )
    .argument("[id...]", "ids of failed streams, or their beginnings")
    .option("--all", "every failed stream that the filters leave")
    .option("--completed", "instead: completed streams, out of the history; --older-than says from when on")
    .addOption(
      new Option("--uploads <choice>", "what becomes of their open uploads in S3")
        .choices(["abort", "keep"])
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
      throw new CliError(EXIT.usage, "--completed goes with --older-than only: history is removed by age.");
    return await draftHistory(session, olderThan ?? 0);
  }
  const { reader, out } = session;
  if (ids.length > 0) {
    if (narrows || flags.all || olderThan !== undefined)
      throw new CliError(EXIT.usage, "Name streams, or filter them, but not both.");
    return draftPurge(await chooseNamed(reader, "purge", await findStreams(reader, ids)), flags.uploads);
  }
  if (!narrows && !flags.all && olderThan === undefined)
    throw new CliError(EXIT.usage, "Name streams, filter them, or say --all.");
  const matching = selectRows(reader, ["failed"], filter, out.nowMs);
  return draftPurge(await chooseMatching("purge", matching), flags.uploads);
}

function draftPurge({ rows, excluded, leftOut }: Chosen, upload: "abort" | "keep"): Draft {
  const uploads = rows.filter(hasUpload).length;
  const destroyed = upload === "keep" ? 0 : uploads;
  const unsent = rows.reduce((sum, row) => sum + unsentBytes(row), 0);
  return {
    action: "purge",
    headline: `Purge the records of ${count(rows.length, "failed stream")}.`,
    consequences: [
      whatBecomesOf(uploads, upload, sentBytes(rows)),
      `Source files are never deleted; ${size(unsent)} of them are in no object and will not be, unless they change or are retried by path.`,
    ],
    items: rows.map((row) => ({ id: row.id, name: row.original_path ?? "", bytes: unsentBytes(row) })),
    counts: { streams: rows.length, uploads, uploads_kept: uploads - destroyed },
    bytes: unsent,
    options: { upload, seen: seenOf(rows) },
    excluded,
    leftOut,
    confirm: confirmFor(rows.length, destroyed, "yes"),
  };
}

function whatBecomesOf(uploads: number, choice: "abort" | "keep", bytes: number): string {
  if (uploads === 0) return "None of them has an open upload in S3.";
  const which = count(uploads, "open upload");
  return choice === "keep"
    ? `Kept in S3: ${which} with ${size(bytes)} of parts, as orphans.`
    : `Lost in S3: ${which} with ${size(bytes)} of parts.`;
}

function sentBytes(rows: readonly ListedStream[]): number {
  return rows.filter(hasUpload).reduce((sum, row) => sum + (row.bytes_sent ?? 0), 0);
}

/** The score of a completed stream is the time it completed. */
async function draftHistory({ reader, out, context }: Session, olderThanMs: number): Promise<Draft> {
  const cutoff = (await redisNowMs(context)) - olderThanMs;
  const rows: ListedStream[] = [];
  for await (const row of selectRows(reader, ["completed"], {}, out.nowMs)) {
    if ((row.score ?? Number.POSITIVE_INFINITY) <= cutoff) rows.push(row);
  }
  // The oldest go first, as they are removed.
  const items = rows.toReversed().slice(0, MAX_PLAN_ITEMS);
  const age = olderThanMs > 0 ? ` that completed more than ${span(olderThanMs)} ago` : "";
  return {
    action: "prune_history",
    headline: `Remove ${count(items.length, "completed stream")}${age} from the history.`,
    consequences: [
      "Objects and files stay, and that these files are done is still known: nothing is sent again.",
    ],
    items: items.map((row) => ({ id: row.id, name: row.original_path ?? "", bytes: row.file_size ?? 0 })),
    counts: { streams: items.length },
    bytes: 0,
    options: { cutoff },
    excluded: [],
    leftOut: rows.length - items.length,
    confirm: confirmFor(items.length, 0, "yes"),
  };
}
