/** First half of every action: who and what exactly it would touch, kept under a token that runs once and expires. */
import { randomUUID } from "node:crypto";
import { seenOf } from "@sluice/control/carry-out";
import { KEPT } from "@sluice/redis-schema/kept";
import type { PlanRecord } from "@sluice/redis-schema/records/plan";
import { redisNowMs } from "@sluice/redis-schema/server-clock";
import { TRPCError } from "@trpc/server";
import { typedWord, type PlanAction, type StreamAction } from "@sluice/control/actions";
import { RESTARTING_REASONS } from "@sluice/control/words";
import type { PlanView } from "@sluice/control/plan-view";
import {
  failureReason,
  fileName,
  lagBytes,
  pathOf,
  sentBytes,
  type StreamRow,
} from "@sluice/control/stream-row";
import type { Hub } from "../hub.ts";
import { findTargets, MAX_PLAN_ITEMS, type Target } from "./targets.ts";

const SAMPLE = 8;

export interface PlanWish {
  action: StreamAction;
  target: Target;
  /** What becomes of open uploads in a purge. */
  upload: "abort" | "keep";
  /** Finalize also what a process holds open for writing. */
  force: boolean;
}

export async function planStreams(hub: Hub, who: string, wish: PlanWish): Promise<PlanView> {
  const { rows, excluded, leftOut } = await findTargets(hub, wish.action, wish.target);
  const uploads = rows.filter((row) => row.s3_upload_id !== undefined && row.s3_upload_id !== "").length;
  const keepsUploads = wish.action === "purge" && wish.upload === "keep";
  return savePlan(hub, who, {
    action: wish.action,
    ids: rows.map((row) => row.id),
    counts: { streams: rows.length, uploads, ...restarts(wish.action, rows) },
    bytes: rows.reduce((sum, row) => sum + bytesOf(wish.action, row), 0),
    options: {
      ...(wish.action === "finalize" ? { force: wish.force } : {}),
      upload: wish.upload,
      seen: seenOf(rows),
    },
    sample: rows
      .slice(0, SAMPLE)
      .map((row) => ({ id: row.id, name: fileName(pathOf(row)), bytes: bytesOf(wish.action, row) })),
    excluded,
    leftOut,
    uploads: keepsUploads ? 0 : uploads,
  });
}

/** What a retry sends a second time. */
function restarts(action: StreamAction, rows: readonly StreamRow[]): Record<string, number> {
  if (action !== "retry") return {};
  const again = rows.filter((row) => RESTARTING_REASONS.includes(failureReason(row) ?? ""));
  return { from_start: again.length, bytes_again: again.reduce((sum, row) => sum + sentBytes(row), 0) };
}

/** Orphans by upload id. Foreign and unknown ones must have been chosen one by one, never by a filter. */
export async function planOrphans(hub: Hub, who: string, uploadIds: readonly string[]): Promise<PlanView> {
  const wanted = new Set(uploadIds);
  const found = (await hub.orphans.orphans()).filter((orphan) => wanted.has(orphan.s3_upload_id));
  const missing = wanted.size - found.length;
  return savePlan(hub, who, {
    action: "abort_uploads",
    ids: found.map((orphan) => orphan.s3_upload_id),
    counts: {
      uploads: found.length,
      ours: found.filter((orphan) => orphan.verdict === "ours").length,
      foreign: found.filter((orphan) => orphan.verdict === "foreign").length,
      unknown: found.filter((orphan) => orphan.verdict === "unknown").length,
    },
    bytes: found.reduce((sum, orphan) => sum + (orphan.bytes ?? 0), 0),
    options: {},
    sample: found
      .slice(0, SAMPLE)
      .map((orphan) => ({ id: orphan.s3_upload_id, name: orphan.s3_key, bytes: orphan.bytes ?? 0 })),
    excluded: missing > 0 ? [{ why: "no longer listed", count: missing }] : [],
    leftOut: 0,
    uploads: found.length,
  });
}

/** Completed streams that entered history before a moment: only records go, objects and files stay. */
export async function planPrune(hub: Hub, who: string, olderThanMs: number): Promise<PlanView> {
  const cutoff = (await redisNowMs(hub.context)) - olderThanMs;
  const ids: string[] = [];
  let leftOut = 0;
  const sample: PlanView["sample"] = [];
  await hub.model.whenFilled(KEPT.planMs);
  for (const row of hub.model.rows.values()) {
    if (row.kind !== "completed" || (row.score ?? Date.parse(row.completed_at_utc ?? "")) >= cutoff) continue;
    if (ids.length >= MAX_PLAN_ITEMS) leftOut += 1;
    else ids.push(row.id);
    if (sample.length < SAMPLE)
      sample.push({ id: row.id, name: fileName(pathOf(row)), bytes: sentBytes(row) });
  }
  return savePlan(hub, who, {
    action: "prune_history",
    ids,
    counts: { streams: ids.length },
    bytes: 0,
    options: { cutoff },
    sample,
    excluded: [],
    leftOut,
    uploads: 0,
  });
}

interface Draft extends Pick<PlanView, "sample" | "excluded" | "counts" | "bytes"> {
  action: PlanAction;
  ids: string[];
  options: NonNullable<PlanRecord["options"]>;
  leftOut: number;
  uploads: number;
}

async function savePlan(hub: Hub, who: string, draft: Draft): Promise<PlanView> {
  const { action, ids, counts, bytes, uploads } = draft;
  if (ids.length === 0) {
    const why = draft.excluded[0]?.why ?? "nothing matches (any more)";
    throw new TRPCError({
      code: "PRECONDITION_FAILED",
      message: `Nothing to ${action.replace("_", " ")}: ${why}.`,
    });
  }
  const typed = typedWord({ action, items: ids.length, uploads }) ?? null;
  const plan: PlanRecord = {
    token: randomUUID(),
    action,
    ids,
    counts,
    bytes,
    options: { ...draft.options, typed },
    who,
    ...(await hub.plans.lifetime()),
  };
  await hub.plans.save(plan);
  return {
    token: plan.token,
    action,
    items: ids.length,
    sample: draft.sample,
    counts,
    bytes,
    left_out: draft.leftOut,
    excluded: draft.excluded,
    typed,
    made_at_utc: plan.made_at_utc,
    expires_at_utc: plan.expires_at_utc,
  };
}

function bytesOf(action: StreamAction, row: StreamRow): number {
  return action === "purge" || action === "finalize" ? lagBytes(row) : sentBytes(row);
}
