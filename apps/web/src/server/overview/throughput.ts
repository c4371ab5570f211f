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

export function chartOf(minutes: readonly Minute[]): ChartPoint[] {
  return minutes.map((minute) => {
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

/** Bytes a second over the running minute and the one before: between one and two minutes of truth. */
export function rateNow(minutes: readonly Minute[], now: number): { rate_in: number; rate_out: number } {
  const running = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  const recent = minutes.filter((minute) => minute.startsAt >= running - MINUTE_MS);
  const seconds = (now - (running - MINUTE_MS)) / 1_000;
  const sum = (counter: "bytes_in" | "bytes_sent") =>
    recent.reduce((total, minute) => total + minute.all[counter], 0);
  return { rate_in: sum("bytes_in") / seconds, rate_out: sum("bytes_sent") / seconds };
}
