/**
 * Distinguishes an emptied Redis, or one restored from an older state, from the second start of a new installation:
 * while `epoch` has no id, it is unknown what S3 contains, and nothing may be cleaned up. The id is written once
 * recovery is finished, and removed by the renewal that finds Redis older than before. The same key has the counter of
 * all renewals and the server process that answered the last one.
 */
import { z } from "zod";
import type { SchemaContext } from "./context.ts";
import { parseWith } from "./records/codec.ts";
import { named, time } from "./records/scalars.ts";
import { fromBuffers } from "./records/text.ts";
import { callRedis, callTransaction } from "./replies.ts";

const epochSchema = z.object({ id: named, since_utc: time });
export type Epoch = z.infer<typeof epochSchema>;

/**
 * Undefined: this Redis is empty, was emptied or restored from an older state, and no worker has recovered from S3 yet.
 */
export async function readEpoch({ redis, keys }: SchemaContext): Promise<Epoch | undefined> {
  const parsed = parseWith(
    epochSchema,
    fromBuffers(await callRedis("read the epoch", () => redis.hgetallBuffer(keys.epoch))),
  );
  return parsed.kind === "ok" ? parsed.value : undefined;
}

/** Called when recovery is finished. An existing id stays; returns the epoch that is now stored. */
export async function beginEpoch(context: SchemaContext, id: string): Promise<Epoch> {
  const { redis, keys, clock } = context;
  const since_utc = new Date(clock.wallMs()).toISOString();
  // One transaction; existing values stay.
  await callTransaction(
    "write the epoch",
    redis.multi().hsetnx(keys.epoch, "id", id).hsetnx(keys.epoch, "since_utc", since_utc),
  );
  return (await readEpoch(context)) ?? { id, since_utc };
}

/**
 * Called when Redis is found to be older than what it acknowledged, other than by a renewal, so that every worker
 * notices.
 */
export async function endEpoch({ redis, keys }: SchemaContext): Promise<void> {
  await callRedis("end the epoch", () => redis.hdel(keys.epoch, "id", "since_utc"));
}
