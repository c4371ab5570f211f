/**
 * How long the worker's event loop was blocked, from its own metric: each reading covers the time since the one before
 * it.
 */
import type { WorkerProcess } from "../../../apps/worker/test/rig/worker-process.ts";

export interface LoopDelay {
  /** ms. */
  p99(): Promise<number>;
}

/** Counts from now on. */
export async function watchLoop(worker: WorkerProcess): Promise<LoopDelay> {
  const { address } = await worker.said("health and metrics");
  const p99 = async (): Promise<number> => {
    const text = await (await fetch(`${String(address)}/metrics`)).text();
    const found = /^sluice_nodejs_eventloop_lag_p99_seconds(?:\{[^}]*\})? (\S+)$/m.exec(text)?.[1];
    if (found === undefined) throw new Error("the metrics contain no event loop delay");
    return Number(found) * 1_000;
  };
  await p99();
  return { p99 };
}
