/** The probe's answers about a store, saved so that the next start need not probe again. */
import { z } from "zod";
import type { SchemaContext } from "./context.ts";
import { parseJson } from "./records/codec.ts";
import { time } from "./records/scalars.ts";
import { callRedis } from "./replies.ts";

const answersSchema = z.object({ probed_at_utc: time, answers: z.record(z.string(), z.json()) });
export type StoreAnswers = z.infer<typeof answersSchema>;

/**
 * `hash`: of endpoint, bucket and prefix. Answers that cannot be parsed count as missing: the store is probed again.
 */
export async function loadStoreAnswers(
  { redis, keys }: SchemaContext,
  hash: string,
): Promise<StoreAnswers | undefined> {
  const text = await callRedis("read the store's answers", () => redis.get(keys.store(hash)));
  if (text === null) return undefined;
  const parsed = parseJson(answersSchema, text);
  return parsed.kind === "ok" ? parsed.value : undefined;
}

/** Keeps what a store was found to answer, under the hash of what it was asked with. */
export async function saveStoreAnswers(
  { redis, keys }: SchemaContext,
  hash: string,
  answers: StoreAnswers,
): Promise<void> {
  await callRedis("keep the store's answers", () => redis.set(keys.store(hash), JSON.stringify(answers)));
}
