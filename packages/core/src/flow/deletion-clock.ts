/**
 * What time it is for a retention that ends in deletion. A clock that was set forward makes everything look old enough,
 * so the slowest of all clocks counts: our own as it was at the start and ran on monotonically, our own as it is now, and
 * those of Redis and the store, which nobody set together with ours. Too late costs some storage; too early costs data.
 */
import type { Clock } from "../ports/clock.ts";

export interface ClockReadings {
  /** Wall time at the start of the process and the monotonic time since (ms since 1970). */
  steadyMs: number;
  wallMs: number;
  /** Clocks of other machines, by name; undefined where one does not tell. */
  others: Readonly<Record<string, number | undefined>>;
}

export interface DeletionTime {
  /** Something due at this time or before may be deleted. */
  nowMs: number;
  /** Clocks that differ by more than is usual between machines, in words. */
  disagree: string | undefined;
}

/** What the clocks of well kept machines differ by at most. */
const USUAL_MS = 60_000;

export function deletionTime({ steadyMs, wallMs, others }: ClockReadings): DeletionTime {
  const readings: [string, number][] = [
    ["this process's since its start", steadyMs],
    ["this host's", wallMs],
  ];
  for (const [name, ms] of Object.entries(others)) {
    if (ms !== undefined && Number.isFinite(ms)) readings.push([name, ms]);
  }
  readings.sort(([, a], [, b]) => a - b);
  const slowest = readings[0] ?? ["", Math.min(steadyMs, wallMs)];
  const fastest = readings.at(-1) ?? slowest;
  const apartMs = fastest[1] - slowest[1];
  const disagree =
    apartMs > USUAL_MS
      ? `the clocks are ${Math.round(apartMs / 1_000)} s apart: the slowest is ${slowest[0]}, the fastest ${fastest[0]}`
      : undefined;
  return { nowMs: slowest[1], disagree };
}

/** Our own clock as it would be had nobody set it since the start of the process. */
export function steadyClock(clock: Pick<Clock, "wallMs" | "monotonicMs">): () => number {
  const startedAtMs = clock.wallMs() - clock.monotonicMs();
  return () => startedAtMs + clock.monotonicMs();
}
