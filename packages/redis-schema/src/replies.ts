/**
 * What Redis answers, made safe: trouble of Redis (away, slow, full, read-only, loading) is a CheckpointError that the
 * caller waits out; a reply of a shape no script of ours gives is a bug of ours and an InvariantError.
 */
import { CheckpointError, InvariantError } from "@sluice/core";
import type { ChainableCommander } from "ioredis";
import { fromBuffer } from "./records/text.ts";

/** A key under one of our names holds another type. Where it is one stream's key, it concerns that stream alone. */
export class ForeignTypeError extends CheckpointError {
  constructor(what: string, cause: unknown) {
    super(`${what}: a key of ours holds another type: something else uses this Redis with our key prefix`, {
      cause,
    });
  }
}

/** Every failed command ends here: Redis trouble is never data trouble. */
export async function callRedis<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw asCheckpointError(what, error);
  }
}

export function asCheckpointError(what: string, error: unknown): Error {
  if (error instanceof CheckpointError || error instanceof InvariantError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (isScriptBug(message)) return new InvariantError(`${what}: ${message}`, { cause: error });
  if (message.includes("WRONGTYPE")) return new ForeignTypeError(what, error);
  return new CheckpointError(`${what}: ${inPlainWords(message)}`, { cause: error });
}

/** Several commands as one (MULTI): the first refusal of any of them rejects. */
export function callTransaction(what: string, commands: ChainableCommander): Promise<void> {
  return callRedis(what, async () => {
    const replies = await commands.exec();
    const refused = replies?.find(([error]) => error !== null)?.[0];
    if (refused) throw refused;
  });
}

/** A script that does not compile, or calls Redis wrongly, is ours to mend; waiting would not help. */
function isScriptBug(message: string): boolean {
  return /Error compiling script|wrong number of args/i.test(message) || LUA_ERROR.test(message);
}

/** An error Lua raises itself names its line so; one of a Redis command inside a script has an @ before it. */
const LUA_ERROR = /(^|[^@])user_script:\d+:/;

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^Command timed out/, "Redis did not answer in time"],
  [
    /enableOfflineQueue|Connection is closed|ECONNREFUSED|ECONNRESET|EPIPE|max retries per request/,
    "Redis cannot be reached",
  ],
  [/^OOM|-OOM|OOM command/, "Redis is out of memory (maxmemory reached)"],
  [/^READONLY|READONLY You can't write/, "Redis is a read-only replica"],
  [/^LOADING/, "Redis is still loading its data"],
  [/^MISCONF/, "Redis refuses writes: it cannot save to its disk"],
  [/^(NOAUTH|WRONGPASS|NOPERM)/, "Redis refuses these credentials"],
  [/^(MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK)/, "Redis is being reconfigured"],
  [/^BUSY/, "Redis is busy with another script"],
];

export function inPlainWords(message: string): string {
  const known = WORDS.find(([pattern]) => pattern.test(message));
  return known ? `${known[1]} (${message})` : message;
}

/** The name a script's reply begins with. */
export function replyName<Name extends string>(reply: readonly unknown[], names: readonly Name[]): Name {
  const name = replyText(reply, 0);
  const known = names.find((one) => one === name);
  if (known === undefined)
    throw new InvariantError(`a script replied ${name}, which is none of ${names.join(", ")}`);
  return known;
}

export function replyText(reply: readonly unknown[], at: number): string {
  const value = reply[at];
  if (value instanceof Uint8Array) return fromBuffer(value);
  if (typeof value === "number") return String(value);
  throw new InvariantError(`a script's reply has no text at ${at}`);
}
