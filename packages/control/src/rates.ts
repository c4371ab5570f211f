/** How fast files are currently written and uploaded, from counters of whole minutes. */
import type { StatsWindow } from "@sluice/redis-schema/stats-store";

const MINUTE_MS = 60_000;
/** The running minute and the one before. */
export const RATE_MINUTES = 2;

/** Bytes per second over the running minute and the one before: between one and two minutes of data. */
export function rateNow(minutes: StatsWindow["minutes"], now: number): { rate_in: number; rate_out: number } {
  const running = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  const recent = minutes.filter((minute) => minute.startsAt >= running - MINUTE_MS);
  const seconds = (now - (running - MINUTE_MS)) / 1_000;
  const sum = (counter: "bytes_in" | "bytes_sent") =>
    recent.reduce((total, minute) => total + minute.all[counter], 0);
  return { rate_in: sum("bytes_in") / seconds, rate_out: sum("bytes_sent") / seconds };
}

/** A difference is meaningful only over at least this time; over a longer time it does not describe the present. */
const LEAST_MS = 10_000;
const MOST_MS = 40_000;

/**
 * What was written between two reads some seconds apart, so that a recorder that stops is noticed within seconds, not
 * at the end of its minute. Uploads come part by part, and need whole minutes to be smooth.
 */
export class RecentlyWritten {
  #asked: { at: number; bytes: ReadonlyMap<number, number> }[] = [];

  /** Bytes per second; undefined until there were reads for long enough. */
  rate(minutes: StatsWindow["minutes"], now: number): number | undefined {
    const bytes = new Map(
      minutes
        .filter(({ startsAt }) => startsAt > now - RATE_MINUTES * MINUTE_MS)
        .map(({ startsAt, all }) => [startsAt, all.bytes_in]),
    );
    this.#asked = this.#asked.filter(({ at }) => at <= now && now - at <= MOST_MS);
    const before = this.#asked.find(({ at }) => now - at >= LEAST_MS);
    if (now - (this.#asked.at(-1)?.at ?? 0) >= 1_000) this.#asked.push({ at: now, bytes });
    if (before === undefined) return undefined;
    let written = 0;
    for (const [startsAt, amount] of bytes)
      written += Math.max(0, amount - (before.bytes.get(startsAt) ?? 0));
    return (written / (now - before.at)) * 1_000;
  }
}
