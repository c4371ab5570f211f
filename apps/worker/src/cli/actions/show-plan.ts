/** Prints a plan before it is confirmed. */
import { formatDuration } from "@sluice/config";
import { KEPT, type PlanRecord } from "@sluice/redis-schema";
import type { Output } from "../output/output.ts";
import type { Draft, PlannedItem } from "@sluice/control/draft";
import { formatBytes } from "@sluice/control/units";

const SHOWN_ITEMS = 50;

export function showPlan(out: Output, draft: Draft): void {
  const { title, facts, items, excluded, leftOut } = draft;
  out.noteLine({ text: `${title}.`, style: "bold" });
  for (const sentence of facts) out.noteLine(`  ${sentence}`);
  const hasNotes = items.some(({ note }) => note !== undefined);
  out.noteTable(
    [
      { title: "id", cell: ({ id }: PlannedItem) => id },
      { title: "bytes", align: "right", cell: ({ bytes }: PlannedItem) => formatBytes(bytes) },
      ...(hasNotes ? [{ title: "what happens", cell: ({ note }: PlannedItem) => note ?? "" }] : []),
      { title: "path", cell: ({ name }: PlannedItem) => name },
    ],
    items.slice(0, SHOWN_ITEMS),
  );
  if (items.length > SHOWN_ITEMS) {
    out.note(`… and ${items.length - SHOWN_ITEMS} more (--plan --json lists every id).`);
  }
  for (const { id, why } of excluded) out.noteLine({ text: `Not ${id}: ${why}.`, style: "yellow" });
  if (leftOut > 0)
    out.note(`${leftOut} more match than one plan can hold: run the command again afterwards.`);
  out.note(`The plan expires in ${formatDuration(KEPT.planMs)}.`);
}

/** The output of `--plan --json`: the plan as stored, and what is not part of it. */
export function planToJson(plan: PlanRecord, { excluded, leftOut }: Draft) {
  return { ...plan, excluded, left_out: leftOut };
}
