/** Work that comes round again until the worker ends; Redis away only delays the next round. */
import { CheckpointError, type Clock } from "@sluice/core";
import { Outage } from "../outage.ts";
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
  const outage = new Outage(clock, log, {
    begins: "Redis did not answer; tried again later",
    over: "Redis has answered again",
  });
  for (;;) {
    await clock.sleep(everyMs, signal);
    if (signal.aborted || ended()) return;
    try {
      await work();
      outage.over();
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      outage.during(error.message);
    }
  }
}
