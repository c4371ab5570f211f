/**
 * The first half of every action: makes a plan with exactly the affected items, stored under a token that can be used
 * once and expires.
 */
import { askedAlready, typedWord, type StreamAction } from "@sluice/control/actions";
import { byReason, choose, choosePrunable, readRows, sourcesAlive } from "@sluice/control/choose";
import {
  draftAbort,
  draftAbortUploads,
  draftFinalize,
  draftPrune,
  draftPurge,
  draftRetry,
  draftSalvage,
  draftSalvageUpload,
  type Draft,
  type PurgeUploads,
} from "@sluice/control/draft";
import { matches } from "@sluice/control/row-filter";
import { planOf } from "@sluice/control/run-plan";
import { fileName } from "@sluice/control/stream-row";
import { TRPCError } from "@trpc/server";
import { z } from "zod";
import type { PlanView } from "../../actions/plan-view.ts";
import { rowFilter, type StreamFilter } from "../../streams/stream-filter.ts";
import { filterSchema } from "../read-model/filter-schema.ts";
import type { Hub } from "../hub.ts";
import { filterClock } from "../read-model/list-page.ts";

const SAMPLE = 8;
const MAX_IDS_IN_REQUEST = 500;
const WAIT_FOR_FILL_MS = 15_000;

export const targetSchema = z.union([
  z.object({ ids: z.array(z.string().min(1).max(256)).min(1).max(MAX_IDS_IN_REQUEST) }),
  z.object({ filter: filterSchema }),
]);

export interface PlanWish {
  action: StreamAction;
  target: z.infer<typeof targetSchema>;
  /** What a purge does with open uploads. */
  upload: PurgeUploads;
  /** Also finalize files that a process has open for writing. */
  force: boolean;
}

export async function planStreams(hub: Hub, who: string, wish: PlanWish): Promise<PlanView> {
  const { action, target } = wish;
  const ids = "ids" in target ? target.ids : await idsMatching(hub, target.filter);
  const rows = await readRows(hub.reader, ids);
  const alive = action === "salvage" ? await sourcesAlive(hub.context) : undefined;
  const chosen = choose(action, rows, (row) => askedAlready(action, row), alive);
  switch (action) {
    case "purge":
      return savePlan(hub, who, draftPurge(chosen, wish.upload));
    case "abort":
      return savePlan(hub, who, draftAbort(chosen));
    case "retry":
      return savePlan(hub, who, await draftRetry(hub.context, chosen));
    case "salvage":
      return savePlan(hub, who, draftSalvage(chosen));
    case "finalize":
      return savePlan(hub, who, draftFinalize(chosen, { force: wish.force, nowMs: Date.now() }));
  }
}

async function idsMatching(hub: Hub, filter: StreamFilter): Promise<string[]> {
  await hub.model.whenFilled(WAIT_FOR_FILL_MS);
  const clock = filterClock(hub);
  const wanted = rowFilter(filter, clock.stallAfterMs);
  const ids: string[] = [];
  for (const row of hub.model.rows.values()) {
    if (matches(row, wanted, clock.now)) ids.push(row.id);
  }
  return ids;
}

/** Orphans by upload id. Foreign and unknown ones must have been selected one by one, never by a filter. */
export async function planOrphans(hub: Hub, who: string, uploadIds: readonly string[]): Promise<PlanView> {
  const wanted = new Set(uploadIds);
  const found = (await hub.orphans.orphans()).filter((orphan) => wanted.has(orphan.s3_upload_id));
  for (const { s3_upload_id } of found) wanted.delete(s3_upload_id);
  const excluded = [...wanted].map((id) => ({ id, why: "no longer listed" }));
  return savePlan(hub, who, draftAbortUploads(found, excluded));
}

/** An upload that no stream has, as the list of orphans knows it. */
export async function planSalvageUpload(hub: Hub, who: string, uploadId: string): Promise<PlanView> {
  const known = await hub.orphans.orphan(uploadId);
  if (known === undefined)
    throw new TRPCError({
      code: "PRECONDITION_FAILED",
      message: "this upload is no longer listed: scan again",
    });
  return savePlan(hub, who, draftSalvageUpload(known, false));
}

/** Completed streams that entered the history before a given time: only records are removed, objects and files stay. */
export async function planPrune(hub: Hub, who: string, olderThanMs: number): Promise<PlanView> {
  const { cutoff, ...chosen } = await choosePrunable(hub.context, olderThanMs);
  return savePlan(hub, who, draftPrune(chosen, { cutoff, olderThanMs }));
}

async function savePlan(hub: Hub, who: string, draft: Draft): Promise<PlanView> {
  const { action, items, counts, title, facts, leftOut, confirm } = draft;
  if (items.length === 0) {
    const why = draft.excluded[0]?.why ?? "nothing matches any longer";
    throw new TRPCError({
      code: "PRECONDITION_FAILED",
      message: `Nothing to ${action.replace("_", " ")}: ${why}.`,
    });
  }
  const typed = draft.typed ?? (confirm === "count" ? typedWord(action, items.length) : null);
  const plan = await planOf(hub.context, { who }, draft, typed);
  await hub.plans.save(plan);
  return {
    token: plan.token,
    action,
    title,
    facts,
    items: items.length,
    sample: items.slice(0, SAMPLE).map(({ id, name, bytes }) => ({ id, name: fileName(name), bytes })),
    counts,
    left_out: leftOut,
    excluded: byReason(draft.excluded),
    typed,
    made_at_utc: plan.made_at_utc,
    expires_at_utc: plan.expires_at_utc,
  };
}
