/** What a worker says of itself at each renewal of its lease: lag, bytes in flight, state. */
import type { StoreGate, UploadLane } from "@sluice/core";
import type { WorkerRecord } from "@sluice/redis-schema";
import type { Supervisor } from "./supervisor.ts";

type Figures = Pick<
  WorkerRecord,
  "state" | "state_detail" | "lag_bytes" | "in_flight_bytes" | "oldest_unshipped_at_utc"
>;

export function workerFigures(
  supervisor: Supervisor,
  gate: StoreGate,
  lane: UploadLane,
  draining: boolean,
): Figures {
  let lagBytes = 0;
  let oldest: string | undefined;
  for (const { processor } of supervisor.running.values()) {
    const { record } = processor;
    const unshipped = record.status === "s3_completed" ? 0 : record.file_size - record.bytes_sent;
    if (unshipped <= 0) continue;
    lagBytes += unshipped;
    // The oldest unshipped byte is at least as young as the last part acknowledged, or the stream itself.
    if (oldest === undefined || record.last_activity_at_utc < oldest) oldest = record.last_activity_at_utc;
  }
  const { blocked, reason } = gate.state;
  return {
    state: draining ? "draining" : blocked ? "blocked" : "ok",
    ...(blocked && reason !== undefined ? { state_detail: reason } : {}),
    lag_bytes: lagBytes,
    in_flight_bytes: lane.busy * lane.bufferBytes,
    ...(oldest === undefined ? {} : { oldest_unshipped_at_utc: oldest }),
  };
}
