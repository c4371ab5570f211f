/** `sluice ls`: streams by state, newest first. */
import { plural } from "@sluice/control/units";
import { rateNow, RATE_MINUTES } from "@sluice/control/rates";
import { RiskTally, verdictOf } from "@sluice/control/verdict";
import type { Index } from "@sluice/core";
import { StatsStore, WatchStore, type ListedStream } from "@sluice/redis-schema";
import { Argument, type Command } from "commander";
import { EXIT } from "../exit-codes.ts";
import { addFilters, addJson, wholeNumber, type FilterFlags } from "../options.ts";
import { shortIds, streamColumns } from "../output/stream-table.ts";
import type { CommonFlags } from "../perform.ts";
import { performOnRedis, type Session } from "../session.ts";
import { chooseStates, rowToJson, selectRows, STATE_WORDS } from "../stream-rows.ts";

interface LsFlags extends CommonFlags, FilterFlags {
  limit?: number;
}

const DEFAULT_STATES = ["active", "pending_completion", "failed"];
/** Maximum rows of a table for people; JSON and `--limit` are not affected. */
const TABLE_ROWS = 200;
/** Everything that is live or failed. */
const AT_RISK: readonly Index[] = ["active", "pending_completion", "failed"];

export function addLs(program: Command): void {
  const command = program
    .command("ls")
    .summary("list streams")
    .description("List streams, newest first: live and failed ones, or the given states.")
    .addArgument(new Argument("[state...]", "states to list").choices(STATE_WORDS));
  addJson(addFilters(command))
    .option(
      "--limit <number>",
      `at most this many (default: all with --json, else ${TABLE_ROWS})`,
      wholeNumber,
    )
    .action(async (states: string[], flags: LsFlags) => {
      await performOnRedis(flags, (session) => ls(session, states, flags));
    });
}

/** An empty list usually means that everything is completed. */
async function nothingAtWork({ reader }: Session): Promise<string> {
  const { completed } = await reader.counts();
  if (completed === 0) return "There are no streams yet.";
  return `No stream that matches is at work or failed. ${plural(completed, "stream")} completed: see sluice ls completed.`;
}

/** The same verdict as the overview, whatever the list shows. */
async function summary({ config, context, out, reader, registry }: Session): Promise<string> {
  const [listings, { minutes }] = await Promise.all([
    registry.list(),
    new StatsStore(context).lastMinutes(RATE_MINUTES),
  ]);
  const { nowMs } = out;
  const tally = new RiskTally({ listings, nowMs, stallAfterMs: config.stallAfterMs });
  for await (const row of selectRows(reader, AT_RISK, {}, nowMs)) tally.add(row);
  const watches = (await new WatchStore(context).loadMany(tally.watches)).filter(
    (watch) => watch !== undefined,
  );
  const { title, because } = verdictOf(tally.risk(watches, rateNow(minutes, nowMs)), { nowMs });
  return `${title}. ${because}`;
}

async function ls(session: Session, states: readonly string[], flags: LsFlags) {
  const { out, reader } = session;
  const choice = chooseStates(states.length > 0 ? states : DEFAULT_STATES);
  const { reason, limit = out.json ? undefined : TABLE_ROWS, ...filter } = flags;
  const wanted = { ...filter, reasons: reason, ...(choice?.kinds ? { kinds: choice.kinds } : {}) };
  const rows: ListedStream[] = [];
  let more = false;
  for await (const row of selectRows(reader, choice?.indexes ?? [], wanted, out.nowMs)) {
    more = limit !== undefined && rows.length >= limit;
    if (more) break;
    rows.push(row);
  }
  if (out.json) out.document(rows.map(rowToJson));
  else {
    out.table(
      streamColumns(out.nowMs, out.onTerminal ? shortIds(rows.map(({ id }) => id)) : undefined),
      rows,
    );
    if (rows.length === 0) out.note(states.length > 0 ? "No streams match." : await nothingAtWork(session));
    if (more) out.note(`Only the first ${plural(rows.length, "stream")} are shown: see --limit.`);
    if (states.length === 0) out.note(await summary(session));
  }
  return EXIT.ok;
}
