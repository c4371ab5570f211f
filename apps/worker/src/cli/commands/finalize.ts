/** `sluice finalize`: completes files as they stand, without waiting for their writers. */
import { seenOf } from "@sluice/control/carry-out";
import type { Command } from "commander";
import { chooseNamed } from "../actions/choose-rows.ts";
import { confirmFor, type Draft } from "@sluice/control/draft";
import { addPlanOptions, planOrRun, type PlanFlags } from "../actions/planned-action.ts";
import { findNamed } from "../find-streams.ts";
import { addJson } from "../options.ts";
import { count, size } from "../output/units.ts";
import { performOnRedis, type Session } from "../session.ts";
import { activityMs, unsentBytes } from "../stream-rows.ts";

interface FinalizeFlags extends PlanFlags {
  force?: true;
}

/** A file written so lately is probably still being written. */
const LATELY_MS = 10_000;

export function addFinalize(program: Command): void {
  const command = program
    .command("finalize")
    .summary("complete files now")
    .description("Complete files as they stand: what is written afterwards is not in their objects.")
    .argument("[id...]", "ids of streams, or their beginnings")
    .option("--force", "even while a process is seen holding the file open for writing");
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
  const { rows, excluded, leftOut } = await chooseNamed(reader, "finalize", await findNamed(reader, given));
  const growing = rows.filter((row) => out.nowMs - (activityMs(row) ?? 0) < LATELY_MS).length;
  const unsent = rows.reduce((sum, row) => sum + unsentBytes(row), 0);
  const consequences = [
    `Sent first: ${size(unsent)} that are only on local disk. What is written after this is not in the objects.`,
  ];
  if (growing > 0) consequences.push(`${count(growing, "file was", "files were")} written in the last 10 s.`);
  if (flags.force) consequences.push("Open writers are not waited for.");
  return {
    action: "finalize",
    headline: `Complete ${count(rows.length, "file")} as ${rows.length === 1 ? "it stands" : "they stand"}.`,
    consequences,
    items: rows.map((row) => ({ id: row.id, name: row.original_path ?? "", bytes: unsentBytes(row) })),
    counts: { streams: rows.length },
    bytes: unsent,
    options: { seen: seenOf(rows), ...(flags.force ? { request: { force: true } } : {}) },
    excluded,
    leftOut,
    confirm: confirmFor(rows.length, 0, growing > 0 || flags.force ? "yes" : "none"),
  };
}
