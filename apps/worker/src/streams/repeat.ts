/** Work that comes round again until the worker ends; Redis away only delays the next round. */
import { CheckpointError, type Clock } from "@sluice/core";
import { Outage } from "../observe/outage.ts";
import type { SupervisorLog } from "./supervisor.ts";

export interface Rounds {
  /** For the log. */
  name?: string;
  everyMs: number;
  /** The first round does not wait. */
  atOnce?: boolean;
  work(): Promise<unknown>;
  ended(): boolean;
  clock: Clock;
  signal: AbortSignal;
  log: SupervisorLog;
  /** Why round after round fails; undefined when one has gone well. */
  failing?(reason: string | undefined): void;
}

/** One round may meet a moment's trouble; from here on someone should know. */
const OFTEN = 3;

export async function repeat({
  name = "a round of work",
  everyMs,
  atOnce = false,
  work,
  ended,
  clock,
  signal,
  log,
  failing,
}: Rounds): Promise<void> {
  let failures = 0;
  const outage = new Outage(clock, log, {
    begins: `${name} could not be done; tried again later`,
    over: `${name} has been done again`,
  });
  for (let first = atOnce; ; first = false) {
    if (!first) await clock.sleep(everyMs, signal);
    if (signal.aborted || ended()) return;
    try {
      await work();
      outage.over();
      if (failures >= OFTEN) failing?.(undefined);
      failures = 0;
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      outage.during(error.message);
      failures += 1;
      if (failures >= OFTEN) failing?.(error.message);
    }
  }
}
