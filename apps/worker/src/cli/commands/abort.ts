/** `sluice abort`: ends live streams; S3 forgets their parts, their files stay. */
import { seenOf } from "@sluice/control/carry-out";
import type { Command } from "commander";
import { chooseNamed } from "../actions/choose-rows.ts";
import { confirmFor, type Draft } from "@sluice/control/draft";
import { addPlanOptions, planOrRun, type PlanFlags } from "../actions/planned-action.ts";
import { findNamed } from "../find-streams.ts";
import { addJson } from "../options.ts";
import { count, size } from "../output/units.ts";
import { performOnRedis, type Session } from "../session.ts";
import { hasUpload } from "../stream-rows.ts";

export function addAbort(program: Command): void {
  const command = program
    .command("abort")
    .summary("end live streams")
    .description(
      "End live streams: their uploads are aborted, so S3 forgets their parts. Files are not touched.",
    )
    .argument("[id...]", "ids of streams, or their beginnings");
  addJson(addPlanOptions(command)).action(async (ids: string[], flags: PlanFlags) => {
    await performOnRedis(flags, (session) =>
      planOrRun(session, "abort", ["abort"], flags, () => draftOf(session, ids)),
    );
  });
}

async function draftOf({ reader }: Session, given: readonly string[]): Promise<Draft> {
  const { rows, excluded, leftOut } = await chooseNamed(reader, "abort", await findNamed(reader, given));
  const uploads = rows.filter(hasUpload).length;
  const bytes = rows.reduce((sum, row) => sum + (row.bytes_sent ?? 0), 0);
  return {
    action: "abort",
    headline: `Abort ${count(rows.length, "stream")}.`,
    consequences: [
      `Lost in S3: ${count(uploads, "open upload")} with ${size(bytes)} of parts.`,
      "Files stay on disk; a retry sends them after all.",
    ],
    items: rows.map((row) => ({ id: row.id, name: row.original_path ?? "", bytes: row.bytes_sent ?? 0 })),
    counts: { streams: rows.length, uploads, uploads_kept: 0 },
    bytes,
    options: { seen: seenOf(rows) },
    excluded,
    leftOut,
    confirm: confirmFor(rows.length, uploads, "yes"),
  };
}
