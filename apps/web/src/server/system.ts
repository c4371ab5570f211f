/** The dashboard itself: how old what it shows is, how fast Redis answers it, and with which settings it runs. */
import { CheckpointError } from "@sluice/core/errors";
import type { EffectiveSetting } from "@sluice/config";
import packageJson from "../../package.json" with { type: "json" };
import type { Hub } from "./hub.ts";

export interface SystemView {
  at: number;
  version: string;
  /** ms since 1970. */
  started_at: number;
  redis: {
    /** How long one question takes, ms; absent: it does not answer. */
    answers_in_ms?: number;
    /** Why it does not. */
    detail?: string;
  };
  read_model: {
    /** Every stream has been read once. */
    filled: boolean;
    streams: number;
    /** When it last agreed with Redis, ms since 1970; absent: not yet. */
    confirmed_at?: number;
    /** How far the newest event is ahead of it, ms on the clock of Redis; absent: not known. */
    feed_lag_ms?: number;
  };
  live_feeds: number;
  memory_bytes: number;
  settings: readonly EffectiveSetting[];
}

export async function systemView(hub: Hub): Promise<SystemView> {
  const { model } = hub;
  const [redis, feedLagMs] = await Promise.all([askRedis(hub), feedLag(hub)]);
  return {
    at: Date.now(),
    version: packageJson.version,
    started_at: Math.round(performance.timeOrigin),
    redis,
    read_model: {
      filled: model.filled,
      streams: Object.values(model.rows.counts).reduce((sum, n) => sum + n, 0) - model.rows.counts.superseded,
      ...(model.confirmedAt === undefined ? {} : { confirmed_at: model.confirmedAt }),
      ...(feedLagMs === undefined ? {} : { feed_lag_ms: feedLagMs }),
    },
    live_feeds: hub.seats.open,
    memory_bytes: process.memoryUsage().rss,
    settings: hub.settings.shown,
  };
}

async function askRedis(hub: Hub): Promise<SystemView["redis"]> {
  const asked = performance.now();
  try {
    await hub.feed.position();
    return { answers_in_ms: performance.now() - asked };
  } catch (error) {
    if (error instanceof CheckpointError) return { detail: error.message };
    throw error;
  }
}

async function feedLag(hub: Hub): Promise<number | undefined> {
  const applied = hub.model.position;
  try {
    return feedLagMs(await hub.feed.position(), applied);
  } catch (error) {
    if (error instanceof CheckpointError) return undefined;
    throw error;
  }
}

/** Between two positions of the feed, which begin with the time at which Redis took the entry. */
export function feedLagMs(newest: string, applied: string): number | undefined {
  const [newestMs, appliedMs] = [newest, applied].map((position) => Number(position.split("-")[0]));
  if (newestMs === undefined || appliedMs === undefined || Number.isNaN(newestMs - appliedMs))
    return undefined;
  return Math.max(0, newestMs - appliedMs);
}

/** For a probe without a session: no figures, only whether the dashboard can do its work. */
export function healthOf({ model, drain }: Pick<Hub, "model" | "drain">): {
  status: "ok" | "degraded";
  redis: "ok" | "away";
} {
  const away = model.away || drain.signal.aborted;
  return { status: away || !model.filled ? "degraded" : "ok", redis: model.away ? "away" : "ok" };
}
