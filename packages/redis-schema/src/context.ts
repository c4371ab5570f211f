/** What every reader and writer of the schema needs: the connection, the keys with their prefix, the clock. */
import type { Clock } from "@sluice/core";
import type { RedisClient } from "./connection.ts";
import type { Keys } from "./keys.ts";

export interface SchemaContext {
  redis: RedisClient;
  keys: Keys;
  clock: Pick<Clock, "wallMs">;
}

/** The worker process that writes: its id, and the nonce of its lease. */
export interface WorkerIdentity {
  workerId: string;
  nonce: string;
}
