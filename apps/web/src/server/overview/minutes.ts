/** The minutes of the last day. A past minute does not change and is read from Redis once. */
import type { StatsStore, StatsWindow } from "@sluice/redis-schema/stats-store";

type Minute = StatsWindow["minutes"][number];

const MINUTE_MS = 60_000;
export const DAY_MINUTES = 1_440;
/** Read again each time: the running minute, and the one before, whose last writes may still arrive. */
const UNSETTLED_MINUTES = 2;

export class Minutes {
  readonly #stats: StatsStore;
  readonly #settled = new Map<number, Minute>();
  #readAt = 0;
  #reading: Promise<Minute[]> | undefined;

  constructor(stats: StatsStore) {
    this.#stats = stats;
  }

  /** A day, oldest first. Concurrent calls share one read. */
  day(): Promise<Minute[]> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<Minute[]> {
    const missed = Math.ceil((Date.now() - this.#readAt) / MINUTE_MS) + UNSETTLED_MINUTES;
    const { minutes } = await this.#stats.lastMinutes(Math.min(DAY_MINUTES, missed));
    this.#readAt = Date.now();
    for (const minute of minutes) this.#settled.set(minute.startsAt, minute);
    const oldest = this.#readAt - DAY_MINUTES * MINUTE_MS;
    for (const startsAt of this.#settled.keys()) if (startsAt < oldest) this.#settled.delete(startsAt);
    return [...this.#settled.values()].sort((a, b) => a.startsAt - b.startsAt);
  }

  /** Redis is back, maybe with less data than before. */
  forget(): void {
    this.#settled.clear();
    this.#readAt = 0;
  }
}
