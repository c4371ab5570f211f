/** Work that comes round again until the worker ends; Redis away only delays the next round. */
import { CheckpointError, type Clock } from "@sluice/core";
import type { SupervisorLog } from "./supervisor.ts";

export interface Rounds {
  everyMs: number;
  work(): Promise<unknown>;
  ended(): boolean;
  clock: Clock;
  signal: AbortSignal;
  log: SupervisorLog;
}

export async function repeat({ everyMs, work, ended, clock, signal, log }: Rounds): Promise<void> {
  for (;;) {
    await clock.sleep(everyMs, signal);
    if (signal.aborted || ended()) return;
    await work().catch((error: unknown) => {
      if (!(error instanceof CheckpointError)) throw error;
      log.warn({ err: error.message }, "Redis did not answer; tried again later");
    });
  }
}
