/** The dashboard over a hundred thousand streams, measured by the code of its own browser test. */
import { startRedis } from "@sluice/redis-schema/testing";
import { seedMany } from "../../../apps/web/scripts/seed-many.ts";
import { startDashboard } from "../../../tests/e2e/support/dashboard.ts";
import {
  browserLoad,
  serverTimes,
  type BrowserLoad,
  type ServerTimes,
} from "../../../tests/e2e/support/first-load.ts";

/** Of one stream among them. */
const PARTS = 10_000;

export async function firstLoad(streams: number): Promise<ServerTimes & BrowserLoad> {
  await using redis = await startRedis({ appendonly: true });
  await seedMany({ redisUrl: redis.url, streams, parts: PARTS });
  const dashboard = await startDashboard(redis.url);
  try {
    const served = await serverTimes(dashboard.origin, streams);
    return { ...served, ...(await browserLoad(dashboard.origin)) };
  } finally {
    await dashboard.stop();
  }
}
