/** All time comes through this interface, so that tests can control it. */
export interface Clock {
  /** Wall time in ms since 1970: for people and records, never for deadlines. */
  wallMs(): number;
  /** Monotonic time in ms: for every wait and deadline. */
  monotonicMs(): number;
  /** Resolves after `ms`, or at once when the signal aborts (it never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The wall clock as ISO 8601 in UTC with milliseconds, as records hold times. */
export function isoNow(clock: Pick<Clock, "wallMs">): string {
  return new Date(clock.wallMs()).toISOString();
}
