/**
 * Tells an emptied Redis from a new installation's second start: while `epoch` is missing, what S3 holds is not known
 * here, and nothing may be cleaned up. It is written once recovery is over.
 */
import { z } from "zod";
import type { SchemaContext } from "./context.ts";
import { parseWith } from "./records/codec.ts";
import { named, time } from "./records/scalars.ts";
import { fromBuffers } from "./records/text.ts";
import { callRedis, callTransaction } from "./replies.ts";

const epochSchema = z.object({ id: named, since_utc: time });
export type Epoch = z.infer<typeof epochSchema>;

/** Undefined: this Redis is empty, or was emptied, and no worker has recovered from S3 yet. */
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
