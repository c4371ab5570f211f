/** Rates and the chart, from counters of whole minutes. */
import type { StatsWindow } from "@sluice/redis-schema/stats-store";

type Minute = StatsWindow["minutes"][number];

const MINUTE_MS = 60_000;

export interface ChartPoint {
  /** Start of the minute, ms since 1970. */
  at: number;
  bytes_in: number;
  bytes_sent: number;
  /** The last values that workers reported in that minute, summed; absent if none did. */
  lag_bytes?: number;
}

/** Only whole minutes: the running one would always look like a drop. */
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
