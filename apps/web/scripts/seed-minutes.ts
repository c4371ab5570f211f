/**
 * An hour of recording for the chart: three cameras write at a steady rate, and once the store was slow for some
 * minutes.
 */
import { MIB } from "@sluice/core/stream/part-plan";
import type { SchemaContext } from "@sluice/redis-schema/context";
import { statsArgs } from "@sluice/redis-schema/records/stats";
import { WATCHES } from "./seed-samples.ts";

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
    const pace = at < SLOW.from ? 1 : at < SLOW.to ? 0.45 : at < SLOW.caughtUpBy ? 1.5 : 1;
    const sent = Math.min(written * pace, lag + written - 30 * MIB);
    lag += written - sent;
    const key = keys.stats(running - (MINUTES - 1 - at) * MINUTE);
    const minute = redis.multi();
    for (const [n, watch] of WATCHES.entries()) {
      const share = (amount: number): number => Math.round(amount / WATCHES.length);
      const counts = {
        bytes_in: share(written),
        bytes_sent: share(sent),
        parts: share(sent / (8 * MIB)),
        completed: at % 9 === n ? 1 : 0,
      };
      const args = statsArgs(counts, worker, { source, watch });
      for (let field = 0; field < args.length; field += 2)
        minute.hincrby(key, String(args[field]), Number(args[field + 1]));
    }
    const report = { lag_bytes: String(Math.round(lag)), source, started_at: String(startedAt) };
    const reported = Object.entries(report).flatMap(([name, value]) => [`${name}@${worker}`, value]);
    await minute.hset(key, ...reported).exec();
  }
}
