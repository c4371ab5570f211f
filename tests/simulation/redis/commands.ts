/** The commands that the product sends, with the replies and refusals of Redis 7. */
import type { LuaScript } from "./lua.ts";

/** A simple string, as `+OK`; a plain string is a bulk reply. */
export class Status {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** As `-ERR …`. */
export class ReplyError extends Error {
  override readonly name = "ReplyError";
}

export type Reply = string | number | null | Status | ReplyError | Reply[];

type StreamEntry = readonly [id: string, fields: readonly string[]];

export interface StreamValue {
  entries: StreamEntry[];
  lastMs: number;
  lastSeq: number;
}

interface Values {
  hash: Map<string, string>;
  list: string[];
  zset: Map<string, number>;
  set: Set<string>;
  string: string;
  stream: StreamValue;
}

export type TypeName = keyof Values;
export type ValueOf<T extends TypeName> = Values[T];
export type Value = { [T in TypeName]: { type: T; value: Values[T] } }[TypeName];

export interface Entry {
  value: Value;
  expiresAtMs: number | undefined;
}

export interface Access {
  now(): number;
  runId(): string;
  get<T extends TypeName>(key: string, type: T): ValueOf<T> | undefined;
  make<T extends TypeName>(key: string, type: T, empty: ValueOf<T>): ValueOf<T>;
  entry(key: string): Entry | undefined;
  remove(key: string): boolean;
  keys(): string[];
  flush(): void;
  appended(key: string): void;
  script(sha: string): LuaScript | undefined;
  load(source: string): LuaScript;
  eval(script: LuaScript, keys: readonly string[], argv: readonly string[]): Reply;
}

export type Act = (db: Access, args: readonly string[]) => Reply;

const OK = new Status("OK");

export const WRITES = new Set(
  (
    "DEL SET INCR PEXPIRE PEXPIREAT HSET HSETNX HDEL HINCRBY LPUSH RPUSH LTRIM SADD SREM ZADD ZREM ZREMRANGEBYSCORE " +
    "XADD XDEL XTRIM FLUSHALL EVAL EVALSHA"
  ).split(" "),
);

export const COMMANDS: Record<string, Act> = {
  PING: () => new Status("PONG"),
  SELECT: () => OK,
  CLIENT: () => OK,
  CONFIG: () => OK,
  QUIT: () => OK,
  TIME: (db) => [String(Math.floor(db.now() / 1_000)), String((db.now() % 1_000) * 1_000)],
  INFO: (db) =>
    [
      "# Server",
      "redis_version:7.0.15",
      `run_id:${db.runId()}`,
      "redis_mode:standalone",
      "role:master",
      "aof_enabled:1",
      "maxmemory:0",
      "used_memory:1000000",
      "maxmemory_policy:noeviction",
      "cluster_enabled:0",
      "uptime_in_seconds:1000",
      "loading:0",
    ].join("\r\n"),
  FLUSHALL: (db) => {
    db.flush();
    return OK;
  },
  TYPE: (db, [key = ""]) => new Status(db.entry(key)?.value.type ?? "none"),
  EXISTS: (db, keys) => keys.filter((key) => db.entry(key) !== undefined).length,
  DEL: (db, keys) => keys.filter((key) => db.remove(key)).length,
  KEYS: (db, [pattern = ""]) => db.keys().filter(globMatcher(pattern)),
  SCAN: (db, args) => {
    const at = args.findIndex((arg) => arg.toUpperCase() === "MATCH");
    const matches = at < 0 ? () => true : globMatcher(args[at + 1] ?? "*");
    return ["0", db.keys().filter(matches)];
  },
  PEXPIRE: (db, [key = "", ms]) => {
    const entry = db.entry(key);
    if (!entry) return 0;
    entry.expiresAtMs = db.now() + Number(ms);
    return 1;
  },
  PEXPIREAT: (db, [key = "", atMs]) => {
    const entry = db.entry(key);
    if (!entry) return 0;
    entry.expiresAtMs = Number(atMs);
    return 1;
  },
  PTTL: (db, [key = ""]) => {
    const entry = db.entry(key);
    if (!entry) return -2;
    return entry.expiresAtMs === undefined ? -1 : entry.expiresAtMs - db.now();
  },

  GET: (db, [key = ""]) => db.get(key, "string") ?? null,
  SET: (db, [key = "", value = "", ...options]) => {
    const flags = options.map((option) => option.toUpperCase());
    if (flags.includes("NX") && db.entry(key)) return null;
    if (flags.includes("XX") && !db.entry(key)) return null;
    db.remove(key);
    db.make(key, "string", value);
    const [px, ex] = [flags.indexOf("PX"), flags.indexOf("EX")];
    const ms = px >= 0 ? Number(options[px + 1]) : ex >= 0 ? Number(options[ex + 1]) * 1_000 : undefined;
    const entry = db.entry(key);
    if (entry) entry.expiresAtMs = ms === undefined ? undefined : db.now() + ms;
    return OK;
  },
  INCR: (db, [key = ""]) => {
    const next = Number(db.get(key, "string") ?? "0") + 1;
    const expiresAtMs = db.entry(key)?.expiresAtMs;
    db.remove(key);
    db.make(key, "string", String(next));
    const entry = db.entry(key);
    if (entry) entry.expiresAtMs = expiresAtMs;
    return next;
  },

  HGET: (db, [key = "", field = ""]) => db.get(key, "hash")?.get(field) ?? null,
  HMGET: (db, [key = "", ...fields]) => {
    const hash = db.get(key, "hash");
    return fields.map((field) => hash?.get(field) ?? null);
  },
  HGETALL: (db, [key = ""]) => [...(db.get(key, "hash") ?? [])].flat(),
  HKEYS: (db, [key = ""]) => [...(db.get(key, "hash")?.keys() ?? [])],
  HLEN: (db, [key = ""]) => db.get(key, "hash")?.size ?? 0,
  HEXISTS: (db, [key = "", field = ""]) => (db.get(key, "hash")?.has(field) ? 1 : 0),
  HSCAN: (db, [key = ""]) => ["0", [...(db.get(key, "hash") ?? [])].flat()],
  HSET: (db, [key = "", ...pairs]) => {
    if (pairs.length === 0 || pairs.length % 2 === 1)
      throw new ReplyError("ERR wrong number of arguments for 'hset' command");
    const hash = db.make(key, "hash", new Map());
    const before = hash.size;
    for (let at = 0; at < pairs.length; at += 2) hash.set(pairs[at] ?? "", pairs[at + 1] ?? "");
    return hash.size - before;
  },
  HSETNX: (db, [key = "", field = "", value = ""]) => {
    const hash = db.make(key, "hash", new Map());
    if (hash.has(field)) return 0;
    hash.set(field, value);
    return 1;
  },
  HINCRBY: (db, [key = "", field = "", by]) => {
    const hash = db.make(key, "hash", new Map());
    const held = Number(hash.get(field) ?? "0");
    if (!Number.isInteger(held)) throw new ReplyError("ERR hash value is not an integer");
    hash.set(field, String(held + Number(by)));
    return held + Number(by);
  },
  HDEL: (db, [key = "", ...fields]) => {
    const hash = db.get(key, "hash");
    if (!hash) return 0;
    const removed = fields.filter((field) => hash.delete(field)).length;
    if (hash.size === 0) db.remove(key);
    return removed;
  },

  LPUSH: (db, [key = "", ...values]) => db.make(key, "list", []).unshift(...values.toReversed()),
  RPUSH: (db, [key = "", ...values]) => db.make(key, "list", []).push(...values),
  LRANGE: (db, [key = "", from, to]) => slice(db.get(key, "list") ?? [], from, to),
  LLEN: (db, [key = ""]) => db.get(key, "list")?.length ?? 0,
  LTRIM: (db, [key = "", from, to]) => {
    const list = db.get(key, "list");
    if (!list) return OK;
    list.splice(0, list.length, ...slice(list, from, to));
    if (list.length === 0) db.remove(key);
    return OK;
  },

  SADD: (db, [key = "", ...members]) => {
    const set = db.make(key, "set", new Set());
    const before = set.size;
    for (const member of members) set.add(member);
    return set.size - before;
  },
  SMEMBERS: (db, [key = ""]) => [...(db.get(key, "set") ?? [])],

  ZADD: (db, [key = "", ...rest]) => {
    const onlyNew = rest[0]?.toUpperCase() === "NX";
    const pairs = onlyNew ? rest.slice(1) : rest;
    const scores = pairs.filter((_, at) => at % 2 === 0).map(Number);
    if (scores.some(Number.isNaN)) throw new ReplyError("ERR value is not a valid float");
    const zset = db.make(key, "zset", new Map());
    const before = zset.size;
    for (let at = 0; at + 1 < pairs.length; at += 2) {
      const member = pairs[at + 1] ?? "";
      if (!(onlyNew && zset.has(member))) zset.set(member, Number(pairs[at]));
    }
    return zset.size - before;
  },
  ZREM: (db, [key = "", ...members]) => {
    const zset = db.get(key, "zset");
    if (!zset) return 0;
    const removed = members.filter((member) => zset.delete(member)).length;
    if (zset.size === 0) db.remove(key);
    return removed;
  },
  ZSCORE: (db, [key = "", member = ""]) => {
    const score = db.get(key, "zset")?.get(member);
    return score === undefined ? null : String(score);
  },
  ZCARD: (db, [key = ""]) => db.get(key, "zset")?.size ?? 0,
  ZRANGE: (db, [key = "", from, to, ...options]) => {
    const flags = options.map((option) => option.toUpperCase());
    const all = sorted(db.get(key, "zset"));
    return withScores(slice(flags.includes("REV") ? all.toReversed() : all, from, to), flags);
  },
  ZRANGEBYSCORE: (db, [key = "", least = "", most = "", ...options]) =>
    byScore(sorted(db.get(key, "zset")), least, most, options),
  ZREVRANGEBYSCORE: (db, [key = "", most = "", least = "", ...options]) =>
    byScore(sorted(db.get(key, "zset")).toReversed(), least, most, options),
  ZCOUNT: (db, [key = "", least = "", most = ""]) =>
    sorted(db.get(key, "zset")).filter(([, score]) => within(score, least, most)).length,
  ZREMRANGEBYSCORE: (db, [key = "", least = "", most = ""]) => {
    const zset = db.get(key, "zset");
    if (!zset) return 0;
    const gone = [...zset].filter(([, score]) => within(score, least, most));
    for (const [member] of gone) zset.delete(member);
    if (zset.size === 0) db.remove(key);
    return gone.length;
  },

  XADD: (db, [key = "", ...args]) => {
    let rest = args;
    let trim: ((stream: StreamValue) => void) | undefined;
    const [option = ""] = rest;
    if (["MAXLEN", "MINID"].includes(option.toUpperCase())) {
      const limit = rest[rest[1] === "~" || rest[1] === "=" ? 2 : 1] ?? "0";
      // Trimming "about" (~) never trims less than a node of a hundred entries: as long as that it keeps all.
      const exactly = rest[1] !== "~";
      rest = rest.slice(exactly && rest[1] !== "=" ? 2 : 3);
      trim = (stream) => trimStream(stream, option.toUpperCase(), limit, exactly);
    }
    const [id = "*", ...fields] = rest;
    const stream = db.make(key, "stream", { entries: [], lastMs: 0, lastSeq: 0 });
    const at = id === "*" ? nextId(stream, db.now()) : id;
    const [ms, seq] = idNumbers(at);
    stream.lastMs = ms;
    stream.lastSeq = seq;
    stream.entries.push([at, fields]);
    trim?.(stream);
    db.appended(key);
    return at;
  },
  XLEN: (db, [key = ""]) => db.get(key, "stream")?.entries.length ?? 0,
  XDEL: (db, [key = "", ...ids]) => {
    const stream = db.get(key, "stream");
    if (!stream) return 0;
    const before = stream.entries.length;
    stream.entries = stream.entries.filter(([id]) => !ids.includes(id));
    return before - stream.entries.length;
  },
  XTRIM: (db, [key = "", how = "", ...args]) => {
    const stream = db.get(key, "stream");
    if (!stream) return 0;
    const before = stream.entries.length;
    const exactly = args[0] !== "~";
    trimStream(stream, how.toUpperCase(), args[["~", "="].includes(args[0] ?? "") ? 1 : 0] ?? "0", exactly);
    return before - stream.entries.length;
  },
  XRANGE: (db, [key = "", from = "-", to = "+", ...options]) =>
    limited(between(db.get(key, "stream"), from, to), options).map(entryReply),
  XREVRANGE: (db, [key = "", to = "+", from = "-", ...options]) =>
    limited(between(db.get(key, "stream"), from, to).toReversed(), options).map(entryReply),
  XREAD: (db, args) => {
    const at = args.findIndex((arg) => arg.toUpperCase() === "STREAMS");
    const names = args.slice(at + 1);
    const count = args.findIndex((arg) => arg.toUpperCase() === "COUNT");
    const most = count < 0 ? Infinity : Number(args[count + 1]);
    const found: Reply[] = [];
    for (let one = 0; one < names.length / 2; one += 1) {
      const key = names[one] ?? "";
      const after = names[names.length / 2 + one] ?? "0-0";
      const entries = between(db.get(key, "stream"), `(${after}`, "+").slice(0, most);
      if (entries.length > 0) found.push([key, entries.map(entryReply)]);
    }
    return found.length > 0 ? found : null;
  },

  EVAL: (db, [source = "", count, ...rest]) => {
    const keys = Number(count);
    return db.eval(db.load(source), rest.slice(0, keys), rest.slice(keys));
  },
  EVALSHA: (db, [sha = "", count, ...rest]) => {
    const script = db.script(sha);
    if (!script) throw new ReplyError("NOSCRIPT No matching script. Please use EVAL.");
    const keys = Number(count);
    return db.eval(script, rest.slice(0, keys), rest.slice(keys));
  },
};

function slice<T>(list: readonly T[], from: string | undefined, to: string | undefined): T[] {
  const first = Number(from) < 0 ? Math.max(0, list.length + Number(from)) : Number(from);
  const last = Number(to) < 0 ? list.length + Number(to) : Number(to);
  return list.slice(first, last + 1);
}

/** By score, then by member's bytes. */
function sorted(zset: ReadonlyMap<string, number> | undefined): [string, number][] {
  return [...(zset ?? [])].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : a > b ? 1 : 0));
}

function within(score: number, least: string, most: string): boolean {
  const [low, openLow] = bound(least);
  const [high, openHigh] = bound(most);
  return (openLow ? score > low : score >= low) && (openHigh ? score < high : score <= high);
}

function bound(text: string): [number, boolean] {
  const open = text.startsWith("(");
  const value = open ? text.slice(1) : text;
  if (value === "-inf") return [-Infinity, open];
  if (value === "+inf" || value === "inf") return [Infinity, open];
  return [Number(value), open];
}

function byScore(
  all: readonly [string, number][],
  least: string,
  most: string,
  options: readonly string[],
): string[] {
  const flags = options.map((option) => option.toUpperCase());
  let found = all.filter(([, score]) => within(score, least, most));
  const limit = flags.indexOf("LIMIT");
  if (limit >= 0) {
    const [offset, count] = [Number(options[limit + 1]), Number(options[limit + 2])];
    found = found.slice(offset, count < 0 ? undefined : offset + count);
  }
  return withScores(found, flags);
}

function withScores(pairs: readonly [string, number][], flags: readonly string[]): string[] {
  if (!flags.includes("WITHSCORES")) return pairs.map(([member]) => member);
  return pairs.flatMap(([member, score]) => [member, String(score)]);
}

function idNumbers(id: string, missing = 0): [number, number] {
  const [ms, seq] = id.split("-");
  return [Number(ms), seq === undefined ? missing : Number(seq)];
}

function nextId({ lastMs, lastSeq }: StreamValue, nowMs: number): string {
  return nowMs > lastMs ? `${nowMs}-0` : `${lastMs}-${lastSeq + 1}`;
}

function compareIds(a: readonly [number, number], b: readonly [number, number]): number {
  return a[0] - b[0] || a[1] - b[1];
}

function between(stream: StreamValue | undefined, from: string, to: string): StreamEntry[] {
  const openFrom = from.startsWith("(");
  const openTo = to.startsWith("(");
  const low = from === "-" ? ([0, 0] as const) : idNumbers(openFrom ? from.slice(1) : from);
  const high = to === "+" ? ([Infinity, 0] as const) : idNumbers(openTo ? to.slice(1) : to, Infinity);
  return (stream?.entries ?? []).filter(([id]) => {
    const at = idNumbers(id);
    const above = compareIds(at, low);
    const below = compareIds(at, high);
    return (openFrom ? above > 0 : above >= 0) && (openTo ? below < 0 : below <= 0);
  });
}

function limited(entries: StreamEntry[], options: readonly string[]): StreamEntry[] {
  return options[0]?.toUpperCase() === "COUNT" ? entries.slice(0, Number(options[1])) : entries;
}

function entryReply([id, fields]: StreamEntry): Reply {
  return [id, [...fields]];
}

const NODE_ENTRIES = 100;

function trimStream(stream: StreamValue, how: string, limit: string, exactly: boolean): void {
  const { entries } = stream;
  let surplus =
    how === "MAXLEN"
      ? Math.max(0, entries.length - Number(limit))
      : entries.filter(([id]) => compareIds(idNumbers(id), idNumbers(limit)) < 0).length;
  if (!exactly) surplus -= surplus % NODE_ENTRIES;
  if (surplus > 0) entries.splice(0, surplus);
}

/** `*`, and a backslash before what is meant as it stands. */
function globMatcher(pattern: string): (key: string) => boolean {
  const star = pattern.indexOf("*");
  if (star === pattern.length - 1 && !/[[?\\]/.test(pattern)) {
    const prefix = pattern.slice(0, star);
    return (key) => key.startsWith(prefix);
  }
  const text = pattern.replace(/\\(.)|\*|[.+?^${}()|[\]\\]/gs, (found, escaped: string | undefined) =>
    found === "*" ? ".*" : `\\${escaped ?? found}`,
  );
  const regex = new RegExp(`^${text}$`, "s");
  return (key) => regex.test(key);
}
