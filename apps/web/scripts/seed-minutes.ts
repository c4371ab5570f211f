/**
 * An hour of recording for the chart: three cameras write at a steady rate, and once the store was slow for some
 * minutes.
 */
import { MIB } from "@sluice/core/stream/part-plan";
import type { SchemaContext } from "@sluice/redis-schema/context";

const MINUTE = 60_000;
const MINUTES = 60;
const SLOW = { from: 24, to: 31, caughtUpBy: 41 } as const;

export async function writeMinutes(
  { redis, keys }: SchemaContext,
  worker: string,
  source: string,
): Promise<void> {
  const startedAt = Date.now() - 5 * 3_600_000;
  const running = Math.floor(Date.now() / MINUTE) * MINUTE;
  let lag = 40 * MIB;
  for (let at = 0; at < MINUTES; at += 1) {
    const written = (2_300 + 260 * Math.sin(at / 4) + 90 * Math.sin(at * 1.7)) * MIB;
    const share = at < SLOW.from ? 1 : at < SLOW.to ? 0.45 : at < SLOW.caughtUpBy ? 1.5 : 1;
    const sent = Math.min(written * share, lag + written - 30 * MIB);
    lag += written - sent;
    const counts = {
      bytes_in: written,
      bytes_sent: sent,
      parts: sent / (8 * MIB),
      completed: at % 9 === 0 ? 1 : 0,
    };
    const fields = Object.entries(counts).flatMap(([name, value]) => {
      const whole = String(Math.round(value));
      return [name, whole, `${name}@${worker}`, whole];
    });
    const key = keys.stats(running - (MINUTES - 1 - at) * MINUTE);
    const report = { lag_bytes: String(Math.round(lag)), source, started_at: String(startedAt) };
    const reported = Object.entries(report).flatMap(([name, value]) => [`${name}@${worker}`, value]);
    await redis.hset(key, ...fields, ...reported);
  }
}
