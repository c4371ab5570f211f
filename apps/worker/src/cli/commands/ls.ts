/** `sluice ls`: streams by state, newest first. */
import { rowToJson } from "@sluice/control/row-export";
import type { RowFilter } from "@sluice/control/row-filter";
import { plural } from "@sluice/control/units";
import type { ListedStream } from "@sluice/redis-schema";
import { Argument, type Command } from "commander";
import { EXIT } from "../exit-codes.ts";
import { addFilters, addJson, wholeNumber, withSuggestions, type FilterFlags } from "../options.ts";
import { shortIds, streamColumns } from "../output/stream-table.ts";
import type { CommonFlags } from "../perform.ts";
import { riskSummary } from "../risk-summary.ts";
import { performOnRedis, type Session } from "../session.ts";
import { chooseStates, selectRows, STATE_WORDS } from "../stream-rows.ts";

interface LsFlags extends CommonFlags, FilterFlags {
  limit?: number;
}

const DEFAULT_STATES = ["active", "pending_completion", "failed"];
/** Maximum rows of a table for people; JSON and `--limit` are not affected. */
const TABLE_ROWS = 200;
/** What has just come to its end is looked for under what is at work. */
const LAST_COMPLETED = 10;

export function addLs(program: Command): void {
  const command = program
    .command("ls")
    .summary("list streams")
    .description(
      `List streams, newest first: those at work and those that failed with the last ${LAST_COMPLETED} completed under them, or the states that are named.`,
    )
    .addArgument(withSuggestions(new Argument("[state...]", "states to list"), STATE_WORDS));
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

async function lastCompleted(
  { reader, out }: Session,
  filter: RowFilter,
  most: number,
): Promise<ListedStream[]> {
  const rows: ListedStream[] = [];
  for await (const row of selectRows(reader, ["completed"], filter, out.nowMs)) {
    if (rows.length >= most) break;
    rows.push(row);
  }
  return rows;
}

/** An empty list usually means that everything is completed. */
async function nothingAtWork({ reader }: Session): Promise<string> {
  const { completed } = await reader.counts();
  if (completed === 0) return "There are no streams yet.";
  return `No stream that matches is at work or failed. ${plural(completed, "stream")} completed: see sluice ls completed.`;
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
  // JSON is for programs: they name what they want.
  if (states.length === 0 && !out.json && !more) {
    const room = Math.min(LAST_COMPLETED, (limit ?? Infinity) - rows.length);
    rows.push(...(await lastCompleted(session, { ...filter, reasons: reason }, room)));
  }
  if (out.json) out.document(rows.map(rowToJson));
  else {
    out.table(
      streamColumns(out.nowMs, out.onTerminal ? shortIds(rows.map(({ id }) => id)) : undefined),
      rows,
    );
    if (rows.length === 0) out.note(states.length > 0 ? "No streams match." : await nothingAtWork(session));
    if (more) out.note(`Only the first ${plural(rows.length, "stream")} are shown: see --limit.`);
    if (states.length === 0) {
      const { title, because } = await riskSummary(session);
      out.note(`${title}. ${because}`);
    }
  }
  return EXIT.ok;
}
