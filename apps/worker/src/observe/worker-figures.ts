/** The figures that a worker stores with each renewal of its lease: lag, bytes in flight, state. */
import {
  isExact,
  onWall,
  type Clock,
  type FirstHad,
  type StoreGate,
  type TailBudget,
  type UploadLane,
} from "@sluice/core";
import type { WorkerRecord } from "@sluice/redis-schema";
import type { FreeSpace } from "./free-space.ts";
import type { WorkerSettings } from "../start/settings.ts";
import type { Supervisor } from "../streams/supervisor.ts";

export type Figures = Pick<
  WorkerRecord,
  | "state"
  | "state_detail"
  | "in_flight_bytes"
  | "checking_files"
  | "oldest_unshipped_at_utc"
  | "oldest_unshipped_age"
  | "behind_since_utc"
  | "tail_window_ms"
  | "tail_window_reached_ms"
  | "free_space"
> & { lag_bytes: number; unprotected_bytes: number };

type Particulars = Pick<
  WorkerRecord,
  | "version"
  | "source"
  | "watches"
  | "started_at_utc"
  | "store"
  | "s3_bucket"
  | "s3_address"
  | "failed_upload_retention_ms"
>;

/** Values that do not change while the process runs. */
export function particulars({
  version,
  source,
  watches,
  storeHash,
  startedMs,
  bucket,
  s3Address,
  failedUploadRetentionMs: retentionMs,
}: Pick<
  WorkerSettings,
  "version" | "source" | "storeHash" | "bucket" | "s3Address" | "failedUploadRetentionMs"
> & {
  watches: readonly { name: string }[];
  startedMs: number;
}): Particulars {
  const names = watches.map(({ name }) => name);
  const started = new Date(startedMs).toISOString();
  return {
    version,
    source,
    watches: names,
    store: storeHash,
    s3_bucket: bucket,
    ...(s3Address === undefined ? {} : { s3_address: s3Address }),
    started_at_utc: started,
    failed_upload_retention_ms: retentionMs,
  };
}

export interface FigureInputs {
  supervisor: Pick<Supervisor, "running"> & { readonly completed: { readonly checking: number } };
  runners: readonly { readonly unopenedBytes: number }[];
  space: Pick<FreeSpace, "known">;
  gate: Pick<StoreGate, "state">;
  /** Absent without a safeguard. */
  tails: Pick<TailBudget, "windowMs" | "reachedMs"> | undefined;
  lanes: Readonly<Record<"lane" | "smallLane", Pick<UploadLane, "busy" | "bufferBytes">>>;
  /** Why Redis stores no checkpoints. */
  redisTrouble: string | undefined;
  /** Work that fails repeatedly, one sentence each. */
  failing: readonly string[];
  draining: boolean;
  clock: Pick<Clock, "wallMs" | "monotonicMs">;
}

export function workerFigures(from: FigureInputs): Figures {
  const { supervisor, runners, space, gate, lanes, tails, redisTrouble, failing, draining, clock } = from;
  let lagBytes = runners.reduce((sum, { unopenedBytes }) => sum + unopenedBytes, 0);
  let unprotectedBytes = lagBytes;
  let oldest: FirstHad | undefined;
  let behindSinceMs: number | undefined;
  for (const { processor } of supervisor.running.values()) {
    const { unshippedBytes, unprotectedSince, behindSinceMs: behind } = processor;
    lagBytes += unshippedBytes;
    unprotectedBytes += processor.unprotectedBytes;
    if (unprotectedSince && unprotectedSince.atMs < (oldest?.atMs ?? Infinity)) oldest = unprotectedSince;
    if (behind !== undefined) behindSinceMs = Math.min(behindSinceMs ?? behind, behind);
  }
  const now = { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() };
  const iso = (atMs: number): string => new Date(onWall(atMs, now)).toISOString();
  const blockers = blockersOf(gate, redisTrouble, failing);
  return {
    state: draining ? "draining" : blockers.length > 0 ? "blocked" : "ok",
    ...(blockers.length > 0 ? { state_detail: blockers.join("; ") } : {}),
    lag_bytes: lagBytes,
    unprotected_bytes: unprotectedBytes,
    in_flight_bytes: bytesHeld(lanes.lane) + bytesHeld(lanes.smallLane),
    checking_files: supervisor.completed.checking,
    free_space: space.known,
    ...(oldest === undefined
      ? {}
      : {
          oldest_unshipped_at_utc: iso(oldest.atMs),
          oldest_unshipped_age: isExact(oldest, now.monotonicMs) ? "exact" : "at_least",
        }),
    ...(behindSinceMs === undefined ? {} : { behind_since_utc: iso(behindSinceMs) }),
    ...(tails === undefined ? {} : { tail_window_ms: tails.windowMs }),
    ...(tails?.reachedMs === undefined ? {} : { tail_window_reached_ms: Math.round(tails.reachedMs) }),
  };
}

function bytesHeld({ busy, bufferBytes }: Pick<UploadLane, "busy" | "bufferBytes">): number {
  return busy * bufferBytes;
}

/** What the whole worker waits for, one sentence each. */
export function blockersOf(
  gate: Pick<StoreGate, "state">,
  redisTrouble: string | undefined,
  failing: readonly string[],
): string[] {
  const { blocked, reason } = gate.state;
  return [
    ...(blocked ? [`store: ${reason ?? "it gives unexpected answers"}`] : []),
    ...(redisTrouble === undefined ? [] : [`Redis: ${redisTrouble}`]),
    ...failing,
  ];
}

/** Since when the worker has been in its present state. */
export class StateSince {
  readonly #clock: Pick<Clock, "wallMs">;
  #state: string | undefined;
  #sinceUtc = "";

  constructor(clock: Pick<Clock, "wallMs">) {
    this.#clock = clock;
  }

  of(state: string): string {
    if (state !== this.#state) this.#sinceUtc = new Date(this.#clock.wallMs()).toISOString();
    this.#state = state;
    return this.#sinceUtc;
  }
}
