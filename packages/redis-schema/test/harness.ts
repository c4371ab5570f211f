/** One Redis for a test file, a fresh key prefix for each test, and the whole state of that prefix as plain data. */
import { newRecord, type Clock, type StreamRecord } from "@sluice/core";
import {
  closeClient,
  createClient,
  keysWith,
  parseRedisUrl,
  WorkerRegistry,
  whenReady,
  type Keys,
  type RedisClient,
  type SchemaContext,
  type WorkerIdentity,
  type WorkerRecord,
} from "@sluice/redis-schema";
import { Redis } from "ioredis";
import { startRedis, type RedisOptions, type TestRedis } from "./redis-server.ts";

export const NOW = Date.parse("2026-11-24T10:20:30.400Z");
export const NOW_UTC = new Date(NOW).toISOString();
export const MINUTE_KEY = "stats:202611241020";

/** A value of one key: a hash is a plain object, a list an array, the rest say what they are. */
export type Value = Record<string, string> | string[] | SortedSet | Stream | PlainSet | Text;
export type State = Record<string, Value>;

class SortedSet {
  readonly scores: Record<string, number>;
  constructor(scores: Record<string, number>) {
    this.scores = scores;
  }
}
class Stream {
  readonly entries: Record<string, string>[];
  constructor(entries: Record<string, string>[]) {
    this.entries = entries;
  }
}
class PlainSet {
  readonly members: string[];
  constructor(members: string[]) {
    this.members = members;
  }
}
class Text {
  readonly text: string;
  constructor(words: string) {
    this.text = words;
  }
}

/** A field of a seeded entry of a stream: its position. */
export const POSITION = "@position";

export const zset = (scores: Record<string, number>): Value => new SortedSet(scores);
export const stream = (...entries: Record<string, string>[]): Value => new Stream(entries);
export const plainSet = (...members: string[]): Value => new PlainSet(members);
export const text = (words: string): Value => new Text(words);

export interface Harness extends AsyncDisposable {
  server: TestRedis;
  redis: RedisClient;
  /** A second client, which knows nothing of our code. */
  raw: Redis;
  /** A context on a prefix that no other test uses. */
  fresh(): Schema;
  stop(): Promise<void>;
}

export interface Schema extends SchemaContext {
  keys: Keys;
  clock: ManualClock;
  seed(state: State): Promise<void>;
  /** Every key under the prefix, without it. Write tokens and feed positions, which differ from run to run, are left out. */
  state(): Promise<State>;
}

export interface ManualClock extends Pick<Clock, "wallMs"> {
  now: number;
}

let prefixes = 0;

export async function startHarness(options: RedisOptions & { prefix?: string } = {}): Promise<Harness> {
  const server = await startRedis(options);
  const redis = await connect(server.url);
  const raw = new Redis({ host: server.host, port: server.port });
  // Tests that stop the server expect it to be away.
  raw.on("error", () => undefined);
  const stop = async () => {
    raw.disconnect();
    await closeClient(redis);
    await server.stop();
  };
  return {
    server,
    redis,
    raw,
    fresh: () => {
      prefixes += 1;
      const keys = keysWith(`${options.prefix ?? "t"}${prefixes}:`);
      const clock: ManualClock = { now: NOW, wallMs: () => clock.now };
      return {
        redis,
        keys,
        clock,
        seed: (state) => seed(raw, keys.prefix, state),
        state: () => readState(raw, keys.prefix),
      };
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

export async function connect(
  url: string,
  onError: (error: Error) => void = () => undefined,
): Promise<RedisClient> {
  const parsed = parseRedisUrl(url);
  if (!parsed.ok) throw new Error(parsed.detail);
  const client = createClient(parsed.target, { name: "test" }, onError);
  await whenReady(client);
  return client;
}

export async function seed(raw: Redis, prefix: string, state: State): Promise<void> {
  for (const [name, value] of Object.entries(state)) {
    const key = prefix + name;
    if (Array.isArray(value)) await raw.rpush(key, ...value);
    else if (value instanceof SortedSet) {
      for (const [id, score] of Object.entries(value.scores)) await raw.zadd(key, score, id);
    } else if (value instanceof PlainSet) await raw.sadd(key, ...value.members);
    else if (value instanceof Text) await raw.set(key, value.text);
    else if (value instanceof Stream) {
      // A position that a test names, or the next one.
      for (const { [POSITION]: position = "*", ...fields } of value.entries)
        await raw.xadd(key, position, ...Object.entries(fields).flat());
    } else await raw.hset(key, value);
  }
}

export async function readState(raw: Redis, prefix: string): Promise<State> {
  const state: State = {};
  const keys = await raw.keys(`${prefix.replace(/[{}[\]*?]/g, "\\$&")}*`);
  for (const key of keys.toSorted()) {
    state[key.slice(prefix.length)] = await readValue(raw, key);
  }
  return state;
}

async function readValue(raw: Redis, key: string): Promise<Value> {
  const type = await raw.type(key);
  switch (type) {
    case "hash": {
      const { write_token: _, ...hash } = await raw.hgetall(key);
      return hash;
    }
    case "list":
      return raw.lrange(key, 0, -1);
    case "zset": {
      const flat = await raw.zrange(key, "0", "-1", "WITHSCORES");
      const scores: Record<string, number> = {};
      for (let at = 0; at < flat.length; at += 2) scores[flat[at] ?? ""] = Number(flat[at + 1]);
      return zset(scores);
    }
    case "set":
      return plainSet(...(await raw.smembers(key)).toSorted());
    case "stream": {
      const entries = await raw.xrange(key, "-", "+");
      return stream(...entries.map(([, flat]) => pairs(flat)));
    }
    default:
      return text((await raw.get(key)) ?? "");
  }
}

function pairs(flat: readonly string[]): Record<string, string> {
  const object: Record<string, string> = {};
  for (let at = 0; at + 1 < flat.length; at += 2) object[flat[at] ?? ""] = flat[at + 1] ?? "";
  return object;
}

export const W1: WorkerIdentity = { workerId: "w1", nonce: "nonce-1" };
export const W2: WorkerIdentity = { workerId: "w2", nonce: "nonce-2" };

export function workerRecord(over: Partial<WorkerRecord> = {}): WorkerRecord {
  return {
    nonce: "nonce-1",
    boot_id: "boot",
    pid_namespace: "pid:[1]",
    host: "host",
    pid: 7,
    process_started: "100",
    version: "0.1.0",
    source: "src",
    watches: ["rec"],
    state: "ok",
    lag_bytes: 0,
    in_flight_bytes: 0,
    started_at_utc: NOW_UTC,
    renewed_at_utc: NOW_UTC,
    ...over,
  };
}

export async function register(schema: SchemaContext, { workerId, nonce }: WorkerIdentity): Promise<void> {
  const outcome = await new WorkerRegistry(schema).renew(workerId, workerRecord({ nonce }));
  if (outcome.kind === "held") throw new Error(`${workerId} is held`);
}

/** The only lease field that scripts look at. */
export function lease(identity: WorkerIdentity): State {
  return { [`worker:${identity.workerId}`]: { nonce: identity.nonce } };
}

export function record(over: Partial<StreamRecord> & { id?: StreamRecord["id"] } = {}): StreamRecord {
  const fresh = newRecord({
    id: "s1",
    path: "/rec/a.mkv",
    source: "src",
    watch: "rec",
    bucket: "bkt",
    keyPrefix: "",
    contentType: "video/x-matroska",
    verify: "full",
    plan: { kind: "stepped", partBytes: 8 * 1024 * 1024, expectedMaxBytes: 0, maxParts: 10_000 },
    owner: "w1",
    nowUtc: NOW_UTC,
    facts: {
      size: 10,
      inode: "11",
      device: "1",
      birthtimeNs: "1700000000000000001",
      mtimeNs: "1700000000000000002",
      ctimeNs: "1700000000000000003",
    },
  });
  return { ...fresh, ...over };
}

/** One line of a timeline, as it is stored. */
export function line(words: string, worker = "w1", at_utc = NOW_UTC): string {
  return JSON.stringify({ at_utc, text: words, worker });
}

/** A record as its hash stands in Redis. */
export function meta(of: StreamRecord): Record<string, string> {
  const { id: _, ...fields } = of;
  const hash: Record<string, string> = {};
  for (const [field, value] of Object.entries(fields)) if (value !== undefined) hash[field] = String(value);
  return hash;
}

/** What a stream's record, index and path look like in Redis. */
export function stored(
  of: StreamRecord,
  extra: { index?: string; score?: number; path?: boolean } = {},
): State {
  return {
    [`stream:${of.id}:meta`]: meta(of),
    [`streams:${extra.index ?? "active"}`]: zset({ [of.id]: extra.score ?? NOW }),
    ...(extra.path === false ? {} : { "streams:by_path": { [`${of.source}:${of.original_path}`]: of.id } }),
  };
}

/** The record after a write: one revision on. `owner: null` and the like remove a field. */
export function after(
  of: StreamRecord,
  patch: { [K in keyof StreamRecord]?: StreamRecord[K] | null },
): StreamRecord {
  const next: Record<string, unknown> = { ...of, revision: of.revision + 1 };
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete next[field];
    else next[field] = value;
  }
  return next as unknown as StreamRecord;
}
