/**
 * Makes Redis's answers safe: a problem of Redis (unreachable, slow, full, read-only, loading) is a CheckpointError
 * that the caller waits out; a reply that no script gives is a bug and an InvariantError.
 */
import { CheckpointError, InvariantError } from "@sluice/core";
import type { ChainableCommander } from "ioredis";
import type { SchemaContext } from "./context.ts";
import { fromBuffer } from "./records/text.ts";

/** A key with one of our names holds another type. If it is a key of one stream, only that stream is affected. */
export class ForeignTypeError extends CheckpointError {
  /** Undefined if Redis does not say which. */
  readonly key: string | undefined;

  constructor(what: string, message: string, cause: unknown) {
    const key = SCRIPT_TYPE.exec(message)?.[3] ?? keyOfCommand(cause);
    const which = key === undefined || message.includes(key) ? "" : `the key ${key}: `;
    super(`${what}: ${which}${inPlainWords(message)}`, { cause });
    this.key = key;
  }
}

/** Whether it concerns a key of this stream. */
export function isOfStream(
  error: unknown,
  { keys }: Pick<SchemaContext, "keys">,
  id: string,
): error is ForeignTypeError {
  return (
    error instanceof ForeignTypeError && error.key !== undefined && keys.ofStream(id).includes(error.key)
  );
}

/** The message of lib-check.lua: the type found, the type expected, the key. */
const SCRIPT_TYPE = /^WRONGTYPE ([\w-]+) (hash|list|set|zset|stream|string) (.+)$/s;
/** The message of lib-check.lua: the command, the key. */
const SCRIPT_ACL = /^NOPERM ([A-Z]+) (\S.*)$/s;

/** The client reports which command was refused; a script's first argument is not a key. */
function keyOfCommand(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("command" in error)) return undefined;
  const { name, args } = error.command as { name?: unknown; args?: readonly unknown[] };
  const key = args?.[0];
  if (typeof name !== "string" || name.startsWith("eval")) return undefined;
  return typeof key === "string" ? key : undefined;
}

/** Every failed command ends here: a problem of Redis is never a problem of the data. */
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
  if (message.includes("WRONGTYPE")) return new ForeignTypeError(what, message, error);
  return new CheckpointError(`${what}: ${inPlainWords(message)}`, { cause: error });
}

/** Several commands as one (MULTI): rejects with the first refusal of any of them. */
export function callTransaction(what: string, commands: ChainableCommander): Promise<void> {
  return callRedis(what, async () => {
    const replies = await commands.exec();
    const refused = replies?.find(([error]) => error !== null)?.[0];
    if (refused) throw refused;
  });
}

/** A script that does not compile, or calls Redis wrongly, is a bug; waiting would not help. */
function isScriptBug(message: string): boolean {
  return /Error compiling script|wrong number of args/i.test(message) || LUA_ERROR.test(message);
}

/** An error that Lua raises itself has this prefix; an error of a Redis command inside a script has an @ before it. */
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
  [
    /WRONGTYPE/,
    "a key of Sluice holds another type: another program uses this Redis with the same key prefix; remove that key, or choose another SLUICE_KEY_PREFIX",
  ],
  [/^(MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK)/, "Redis is being reconfigured"],
  [/^BUSY/, "Redis is busy with another script"],
];

/** An error that Redis gave, with what to do where that is known; otherwise as it is. */
export function inPlainWords(message: string): string {
  const [, found, belongs, foreign] = SCRIPT_TYPE.exec(message) ?? [];
  if (found !== undefined && belongs !== undefined && foreign !== undefined)
    return wrongType(foreign, found, belongs);
  const [, command, key] = SCRIPT_ACL.exec(message) ?? [];
  if (command !== undefined) {
    return (
      `Redis does not allow this user ${command} on the key ${key}: ` +
      "allow it in the ACL of the user that SLUICE_REDIS_URL names"
    );
  }
  const known = WORDS.find(([pattern]) => pattern.test(message));
  return known ? `${known[1]} (${message})` : message;
}

/** `found`, `belongs`: types as Redis names them. */
export function wrongType(key: string, found: string, belongs: string): string {
  return (
    `the key ${key} holds a ${typeName(found)} instead of a ${typeName(belongs)}: another program wrote it; ` +
    "check it, then remove it (DEL), or choose another SLUICE_KEY_PREFIX"
  );
}

function typeName(type: string): string {
  return type === "zset" ? "sorted set" : type;
}

/** The name at the beginning of a script's reply. */
export function replyName<Name extends string>(reply: readonly unknown[], names: readonly Name[]): Name {
  const name = replyText(reply, 0);
  const known = names.find((one) => one === name);
  if (known === undefined)
    throw new InvariantError(`a script replied ${name}, which is not one of ${names.join(", ")}`);
  return known;
}

export function replyText(reply: readonly unknown[], at: number): string {
  const value = reply[at];
  if (value instanceof Uint8Array) return fromBuffer(value);
  if (typeof value === "number") return String(value);
  throw new InvariantError(`a script's reply has no text at ${at}`);
}
