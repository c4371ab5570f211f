/** A program never writes into a schema newer than its own. */
import type { SchemaContext } from "./context.ts";
import { callRedis } from "./replies.ts";

/** Increased when the former version of the program could no longer use what is written. */
export const KEYS_VERSION = 1;

export type SchemaCheck =
  | { kind: "ok" }
  | { kind: "newer"; found: number; remedy: string }
  | { kind: "foreign"; found: string; remedy: string };

/** Reads the version under `schema`, and with `claim` also writes it. An older one is increased. */
export async function checkSchema(
  { redis, keys }: SchemaContext,
  options: { claim: boolean },
): Promise<SchemaCheck> {
  const found = await callRedis("read the schema version", () => redis.get(keys.schema));
  if (found === null || (/^\d+$/.test(found) && Number(found) < KEYS_VERSION)) {
    if (options.claim)
      await callRedis("write the schema version", () => redis.set(keys.schema, KEYS_VERSION));
    return { kind: "ok" };
  }
  if (!/^\d+$/.test(found)) {
    const remedy = `the key ${keys.schema} does not contain a version: choose a SLUICE_KEY_PREFIX that no other program uses`;
    return { kind: "foreign", found, remedy };
  }
  if (Number(found) === KEYS_VERSION) return { kind: "ok" };
  const remedy =
    `this Redis was written by a newer Sluice (schema ${found}, this one knows ${KEYS_VERSION}): ` +
    "run that version or a newer one, or choose another SLUICE_KEY_PREFIX";
  return { kind: "newer", found: Number(found), remedy };
}
