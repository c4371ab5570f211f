/** Periodic work until the worker ends. An unavailable Redis only delays the next round. */
import { CheckpointError, type Clock } from "@sluice/core";
import { Outage } from "../observe/outage.ts";
import type { SupervisorLog } from "./supervisor.ts";

export interface Rounds {
  /** For the log. */
  name?: string;
  everyMs: number;
  /** The first round starts at once. */
  atOnce?: boolean;
  work(): Promise<unknown>;
  ended(): boolean;
  clock: Clock;
  signal: AbortSignal;
  log: SupervisorLog;
  /** Called with the reason when rounds fail repeatedly; with undefined after a round that succeeded. */
  failing?(reason: string | undefined): void;
}

/** One round may fail because of a short outage; from this number on it is reported. */
const OFTEN = 3;

export async function repeat({
  name = "periodic work",
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
    begins: `${name} failed; will be retried`,
    over: `${name} succeeded again`,
    code: "round_failed",
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
