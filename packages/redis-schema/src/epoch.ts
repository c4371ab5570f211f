/**
 * Tells an emptied Redis, or one that came back older, from a new installation's second start: while `epoch` has no id,
 * what S3 holds is not known here, and nothing may be cleaned up. The id is written once recovery is over, and removed
 * by the renewal that finds Redis older than it was. Beside it stand the counter of all renewals and the server process
 * that answered the last one.
 */
import { z } from "zod";
import type { SchemaContext } from "./context.ts";
import { parseWith } from "./records/codec.ts";
import { named, time } from "./records/scalars.ts";
import { fromBuffers } from "./records/text.ts";
import { callRedis, callTransaction } from "./replies.ts";

const epochSchema = z.object({ id: named, since_utc: time });
export type Epoch = z.infer<typeof epochSchema>;

/** Undefined: this Redis is empty, was emptied or came back older, and no worker has recovered from S3 yet. */
export async function readEpoch({ redis, keys }: SchemaContext): Promise<Epoch | undefined> {
  const parsed = parseWith(
    epochSchema,
    fromBuffers(await callRedis("read the epoch", () => redis.hgetallBuffer(keys.epoch))),
  );
  return parsed.kind === "ok" ? parsed.value : undefined;
}

/** Recovery is over. The first id stands; the epoch that stands is returned. */
export async function beginEpoch(context: SchemaContext, id: string): Promise<Epoch> {
  const { redis, keys, clock } = context;
  const since_utc = new Date(clock.wallMs()).toISOString();
  // One transaction; what stands already stays.
  await callTransaction(
    "write the epoch",
    redis.multi().hsetnx(keys.epoch, "id", id).hsetnx(keys.epoch, "since_utc", since_utc),
  );
  return (await readEpoch(context)) ?? { id, since_utc };
}

/** Redis was seen to be older than what it acknowledged, by other signs than a renewal: every worker is to know. */
export async function endEpoch({ redis, keys }: SchemaContext): Promise<void> {
  await callRedis("end the epoch", () => redis.hdel(keys.epoch, "id", "since_utc"));
}
