/** In the place of packages/redis-schema/test/redis-server.ts, for the suites that run against both. */
import type { RedisOptions, TestRedis } from "../../../packages/redis-schema/test/redis-server.ts";
import { serve } from "./resp-server.ts";

export type { RedisOptions, TestRedis };

export async function startRedis(_options: RedisOptions = {}): Promise<TestRedis> {
  let server = await serve();
  const { port, database } = server;
  const stop = async (): Promise<void> => await server.close();
  const start = async (): Promise<void> => {
    server = await serve(port, database);
  };
  const never = (): never => {
    throw new Error("the simulated server cannot be frozen: its process is the test's own");
  };
  return {
    host: "127.0.0.1",
    port,
    url: `redis://127.0.0.1:${port}`,
    directory: "",
    stop,
    async restart() {
      await stop();
      await start();
    },
    kill: stop,
    start,
    freeze: never,
    thaw: never,
    [Symbol.asyncDispose]: stop,
  };
}
