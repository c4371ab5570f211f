/** Builds a message of the live feed: the changed rows in their current state, and the state of the system. */
import { CheckpointError } from "@sluice/core/errors";
import { MAX_ROWS_IN_BATCH, type LiveBatch } from "../live/live-batch.ts";
import { demoState, type DemoState } from "./demo/demo.ts";
import type { Hub } from "./hub.ts";
import type { Overview } from "./overview/overview.ts";
import type { Change } from "./read-model/read-model.ts";

export const NO_CHANGE: Change = { reset: false, changed: new Set(), others: false };

export async function batchOf(hub: Hub, change: Change): Promise<LiveBatch> {
  const { model } = hub;
  const tooMany = change.changed.size > MAX_ROWS_IN_BATCH;
  const rows: LiveBatch["rows"] = [];
  const gone: string[] = [];
  if (!tooMany) {
    for (const id of change.changed) {
      const row = model.rows.get(id);
      if (row === undefined) gone.push(id);
      else rows.push(row);
    }
  }
  const workers = model.away ? undefined : await workersOrNothing(hub);
  return {
    at: Date.now(),
    reset: change.reset || tooMany,
    redis: workers === undefined ? "away" : "ok",
    rows,
    gone,
    others: change.others,
    ...(workers === undefined
      ? {}
      : {
          workers,
          failed: model.rows.counts.failed - model.rows.counts.superseded,
          ...(await orphansOrNothing(hub)),
        }),
  };
}

/** Undefined while Redis does not answer. */
export function overviewOrNothing(hub: Hub): Promise<Overview | undefined> {
  return orNothing(hub.overviewNow());
}

export function demoOrNothing(hub: Hub): Promise<DemoState | undefined> {
  return orNothing(demoState(hub));
}

async function orNothing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CheckpointError) return undefined;
    throw error;
  }
}

async function orphansOrNothing(hub: Hub): Promise<Pick<LiveBatch, "orphans">> {
  const orphans = await orNothing(hub.deletableOrphans());
  return orphans === undefined ? {} : { orphans: orphans.uploads };
}

/** Undefined while Redis does not answer. */
async function workersOrNothing(hub: Hub): Promise<LiveBatch["workers"] | undefined> {
  try {
    const leases = (await hub.workersNow()).flatMap(({ lease }) =>
      lease.kind === "ok" ? [lease.value] : [],
    );
    // A problem of only some workers is shown on the workers page, not above every page.
    const [blocked] = leases.every(({ state }) => state === "blocked") ? leases : [];
    return {
      alive: leases.length,
      ...(blocked === undefined ? {} : { blocked: blocked.state_detail ?? "no reason reported" }),
    };
  } catch (error) {
    if (error instanceof CheckpointError) return undefined;
    throw error;
  }
}
