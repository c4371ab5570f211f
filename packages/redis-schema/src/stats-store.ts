/** Counters of the last minutes, one entry per minute, oldest first; a minute without events counts zero. */
import type { SchemaContext } from "./context.ts";
import { KEPT } from "./kept.ts";
import { COUNTERS, NO_COUNTS, parseMinute, type Counters, type MinuteStats } from "./records/stats.ts";
import { fromBuffers } from "./records/text.ts";
import { callRedis } from "./replies.ts";

const MINUTE = 60_000;

export interface StatsWindow {
  /** `startsAt`: ms since 1970. */
  minutes: ({ startsAt: number } & MinuteStats)[];
  sum: Counters;
  sumByWorker: Record<string, Counters>;
}

export class StatsStore {
  readonly #context: SchemaContext;

  constructor(context: SchemaContext) {
    this.#context = context;
  }

  /** The running minute and those before it, at most a day; one round trip. */
  async lastMinutes(count: number): Promise<StatsWindow> {
    const { redis, keys, clock } = this.#context;
    const running = Math.floor(clock.wallMs() / MINUTE) * MINUTE;
    const wanted = Math.min(count, (KEPT.statsMs - 60 * MINUTE) / MINUTE);
    const starts = Array.from({ length: wanted }, (_, at) => running - (wanted - 1 - at) * MINUTE);
    const minutes = await callRedis("read statistics", () =>
      Promise.all(
        starts.map(async (startsAt) => ({
          startsAt,
          ...parseMinute(fromBuffers(await redis.hgetallBuffer(keys.stats(startsAt)))),
        })),
      ),
    );
    return { minutes, ...summed(minutes) };
  }
}

function summed(minutes: readonly MinuteStats[]): Pick<StatsWindow, "sum" | "sumByWorker"> {
  const sum: Counters = { ...NO_COUNTS };
  const sumByWorker: Record<string, Counters> = {};
  for (const minute of minutes) {
    for (const counter of COUNTERS) sum[counter] += minute.all[counter];
    for (const [worker, counts] of Object.entries(minute.byWorker)) {
      const own = (sumByWorker[worker] ??= { ...NO_COUNTS });
      for (const counter of COUNTERS) own[counter] += counts[counter] ?? 0;
    }
  }
  return { sum, sumByWorker };
}
