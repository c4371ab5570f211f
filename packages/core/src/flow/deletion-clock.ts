/**
 * The time for retention periods that end in a deletion. A clock that was set forward makes everything look old enough,
 * so the slowest of all clocks counts: our own at the start plus monotonic time, our own now, and those of Redis and
 * the store, which nobody set together with ours. Too late costs some storage; too early costs data.
 */
import type { Clock } from "../ports/clock.ts";

export interface ClockReadings {
  /** Wall time at the start of the process plus the monotonic time since (ms since 1970). */
  steadyMs: number;
  wallMs: number;
  /** Clocks of other machines, by name; undefined if one is unknown. */
  others: Readonly<Record<string, number | undefined>>;
}

export interface DeletionTime {
  /** Data that is due at this time or before may be deleted. */
  nowMs: number;
  /** Clocks that differ by more than is usual between machines, in words. */
  disagree: string | undefined;
}

/** The maximum difference between the clocks of well maintained machines. */
const USUAL_MS = 60_000;

/**
 * The time (ms since 1970) up to which deletions are due: that of the slowest clock. `disagree`: in words, if they
 * are too far apart.
 */
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

/** Our own clock, unaffected by changes to it since the start of the process. */
export function steadyClock(clock: Pick<Clock, "wallMs" | "monotonicMs">): () => number {
  const startedAtMs = clock.wallMs() - clock.monotonicMs();
  return () => startedAtMs + clock.monotonicMs();
}
