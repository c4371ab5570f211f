/** Rates and the chart, from counters of whole minutes. */
import type { StatsWindow } from "@sluice/redis-schema/stats-store";

type Minute = StatsWindow["minutes"][number];

const MINUTE_MS = 60_000;

export interface ChartPoint {
  /** Start of the minute, ms since 1970. */
  at: number;
  bytes_in: number;
  bytes_sent: number;
  /** Last said in that minute by the workers, summed; absent when none spoke. */
  lag_bytes?: number;
}

/** Whole minutes only: the running one would always look like a fall. */
export function chartOf(minutes: readonly Minute[], now: number): ChartPoint[] {
  const whole = minutes.filter(({ startsAt }) => startsAt + MINUTE_MS <= now);
  return whole.map((minute) => {
    const lags = Object.values(minute.byWorker).flatMap((worker) =>
      worker.lag_bytes === undefined ? [] : [worker.lag_bytes],
    );
    return {
      at: minute.startsAt,
      bytes_in: minute.all.bytes_in,
      bytes_sent: minute.all.bytes_sent,
      ...(lags.length === 0 ? {} : { lag_bytes: lags.reduce((sum, lag) => sum + lag, 0) }),
    };
  });
}
