/**
 * Between a worker and its Redis: counts the round trips that name a stream, or their indexes; the lease's do not. One
 * begins when the worker sends again after it was answered; a long pipeline that is answered while it is still being sent
 * counts more than once, so the figure is an upper bound.
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";

export interface RedisProxy extends AsyncDisposable {
  readonly url: string;
  /** On all connections so far. */
  readonly roundTrips: number;
}

/** Every key of streams and of their indexes holds it. */
const NAMES_A_STREAM = "stream";

export async function startRedisProxy(port: number): Promise<RedisProxy> {
  let roundTrips = 0;
  const server = createServer((client) => {
    const redis = connect(port, "127.0.0.1");
    let answered = true;
    let counted = false;
    client.on("data", (bytes) => {
      if (answered) counted = false;
      answered = false;
      if (!counted && bytes.includes(NAMES_A_STREAM)) {
        roundTrips += 1;
        counted = true;
      }
      redis.write(bytes);
    });
    redis.on("data", (bytes) => {
      answered = true;
      client.write(bytes);
    });
    for (const [one, other] of [
      [client, redis],
      [redis, client],
    ] as const) {
      one.on("close", () => other.destroy());
      // A worker that is ended resets its connections.
      one.on("error", () => other.destroy());
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy got no port");
  return {
    url: `redis://127.0.0.1:${address.port}`,
    get roundTrips() {
      return roundTrips;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}
