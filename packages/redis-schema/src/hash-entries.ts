/** A hash of JSON entries, read whole in steps (HSCAN of one known hash) or by field. Fields are raw bytes. */
import type { RedisClient } from "./connection.ts";
import type { Parsed } from "./records/codec.ts";
import { fromBuffer, toArg } from "./records/text.ts";
import { callRedis } from "./replies.ts";

const STEP = 1_000;

export interface HashEntry<T> {
  field: string;
  parsed: Parsed<T>;
  /** As stored. */
  text: string;
}

export async function* eachEntry<T>(
  redis: RedisClient,
  key: string,
  parse: (text: string) => Parsed<T>,
): AsyncGenerator<HashEntry<T>> {
  let cursor = "0";
  do {
    const [next, flat] = await callRedis("read a hash", () => redis.hscanBuffer(key, cursor, "COUNT", STEP));
    for (let at = 0; at + 1 < flat.length; at += 2) {
      const [field, value] = [flat[at], flat[at + 1]];
      if (!field || !value) continue;
      const text = fromBuffer(value);
      yield { field: fromBuffer(field), parsed: parse(text), text };
    }
    cursor = next.toString("latin1");
  } while (cursor !== "0");
}

/** Undefined for a missing entry. */
export async function readEntries<T>(
  redis: RedisClient,
  key: string,
  fields: readonly string[],
  parse: (text: string) => Parsed<T>,
): Promise<(HashEntry<T> | undefined)[]> {
  if (fields.length === 0) return [];
  const values = await callRedis("read a hash", () => redis.hmgetBuffer(key, ...fields.map(toArg)));
  return fields.map((field, at) => {
    const value = values[at];
    if (!value) return undefined;
    const text = fromBuffer(value);
    return { field, parsed: parse(text), text };
  });
}

export async function removeEntries(
  redis: RedisClient,
  key: string,
  fields: readonly string[],
): Promise<number> {
  if (fields.length === 0) return 0;
  return callRedis("write a hash", () => redis.hdel(key, ...fields.map(toArg)));
}
