/** What the dashboard's server knows: its own read model, fed by its own two connections. */
import { BLOCK_MS, ReadModel } from "../../../apps/web/src/server/read-model/read-model.ts";
import {
  createClient,
  EventFeed,
  keysWith,
  parseRedisUrl,
  StreamReader,
  type SchemaContext,
} from "@sluice/redis-schema";

export interface Dashboard extends AsyncDisposable {
  status(id: string): string | undefined;
}

export async function startDashboard(redisUrl: string, prefix: string): Promise<Dashboard> {
  const parsed = parseRedisUrl(redisUrl);
  if (!parsed.ok) throw new Error(parsed.detail);
  // What they tell is what the tests bring about.
  const quiet = () => undefined;
  const redis = createClient(parsed.target, { name: "dashboard" }, quiet);
  const blocking = createClient(parsed.target, { name: "dashboard-feed", blockMs: BLOCK_MS }, quiet);
  const context: SchemaContext = { redis, keys: keysWith(prefix), clock: { wallMs: Date.now } };
  const model = new ReadModel({
    reader: new StreamReader(context),
    feed: new EventFeed(context),
    redis,
    blocking,
  });
  const stop = new AbortController();
  const running = model.run(stop.signal);
  if (!(await model.whenFilled(30_000))) throw new Error("the dashboard's read model is not filled");
  return {
    status: (id) => model.rows.get(id)?.status,
    async [Symbol.asyncDispose]() {
      stop.abort();
      redis.disconnect();
      blocking.disconnect();
      await running;
    },
  };
}
