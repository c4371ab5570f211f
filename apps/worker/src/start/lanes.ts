/** All of the worker's memory for file bytes: a lane for parts, one for small objects, one for verify reads. */
import { LIMITS, TailBudget, UploadLane, type Clock, type ProcessorDeps } from "@sluice/core";
import type { WorkerSettings } from "./settings.ts";

export type Lanes = Pick<ProcessorDeps, "lane" | "smallLane" | "verifyLane">;

export function buildLanes(settings: Pick<WorkerSettings, "uploadConcurrency" | "bufferBytes">): Lanes {
  // Outside V8's heap and Node's pool, and not zeroed: every byte is written before it is read.
  const allocate = (bytes: number): Uint8Array => Buffer.allocUnsafeSlow(bytes);
  const { uploadConcurrency, bufferBytes } = settings;
  return {
    lane: new UploadLane({ slots: uploadConcurrency, bufferBytes, allocate }),
    smallLane: new UploadLane({ slots: LIMITS.smallPuts, bufferBytes: LIMITS.smallPutBytes, allocate }),
    verifyLane: new UploadLane({ slots: LIMITS.verifyReads, bufferBytes: LIMITS.verifyChunkBytes, allocate }),
  };
}

/** What the tails of growing files may take of them, of the line and of the store's requests. */
export function buildTailBudget(
  { safeguard, uploadConcurrency }: Pick<WorkerSettings, "safeguard" | "uploadConcurrency">,
  clock: Clock,
): TailBudget | undefined {
  return safeguard && new TailBudget({ ...safeguard, uploadSlots: uploadConcurrency, clock });
}
