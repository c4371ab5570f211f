/** What the Redis server says of itself (INFO only: managed services refuse CONFIG). */
import { Cluster } from "ioredis";
import type { RedisClient } from "./connection.ts";
import type { SchemaContext } from "./context.ts";
import { KEYS } from "./key-table.ts";
import { callRedis, wrongType } from "./replies.ts";

export interface ServerFacts {
  version: string;
  /** "valkey" or "redis". */
  product: string;
  isCluster: boolean;
  isReplica: boolean;
  appendOnly: boolean;
  /** Bytes; 0: no limit. */
  maxMemoryBytes: number;
  usedMemoryBytes: number;
  /** Absent where the server does not say. */
  evictionPolicy?: string;
  uptimeSeconds: number;
}

export interface ServerConcern {
  code: "evicts" | "not_durable" | "too_old" | "replica";
  /**
   * `refuse`: the worker must not start (overridable for `evicts`); `wait`: it waits until that is over; `warn`: said at
   * start.
   */
  weight: "refuse" | "wait" | "warn";
  text: string;
}

const OLDEST = [6, 2] as const;

export async function serverFacts(redis: RedisClient): Promise<ServerFacts> {
  const info = parseInfo(await callRedis("ask Redis about itself", () => readInfo(redis)));
  const number = (name: string) => Number(info[name] ?? 0);
  const policy = info["maxmemory_policy"];
  return {
    version: info["valkey_version"] ?? info["redis_version"] ?? "unknown",
    product: info["valkey_version"] === undefined ? "redis" : "valkey",
    isCluster: info["cluster_enabled"] === "1" || info["redis_mode"] === "cluster",
    isReplica: info["role"] === "slave",
    appendOnly: info["aof_enabled"] === "1",
    maxMemoryBytes: number("maxmemory"),
    usedMemoryBytes: number("used_memory"),
    uptimeSeconds: number("uptime_in_seconds"),
    ...(policy === undefined ? {} : { evictionPolicy: policy }),
  };
}

/** Pure: what an operator should know before trusting this server with checkpoints. */
export function judgeServer(facts: ServerFacts): ServerConcern[] {
  const concerns: ServerConcern[] = [];
  const { evictionPolicy, version } = facts;
  if (evictionPolicy !== undefined && evictionPolicy !== "noeviction") {
    const text =
      `Redis may evict checkpoints (maxmemory-policy is ${evictionPolicy}): set it to noeviction, ` +
      "or set SLUICE_ALLOW_EVICTION=true to go on all the same";
    concerns.push({ code: "evicts", weight: "refuse", text });
  }
  if (facts.isReplica) {
    concerns.push({
      code: "replica",
      weight: "wait",
      text: "this Redis is a read-only replica: name the primary, or make it one",
    });
  }
  if (isOlder(version)) {
    const text = `Redis ${version} is too old: ${OLDEST.join(".")} or newer is needed`;
    concerns.push({ code: "too_old", weight: "refuse", text });
  }
  if (!facts.appendOnly) {
    const text =
      "Redis keeps no append-only file: after a crash of Redis, streams are rebuilt from S3 and the local files " +
      "(set appendonly yes to keep the checkpoints)";
    concerns.push({ code: "not_durable", weight: "warn", text });
  }
  return concerns;
}

function isOlder(version: string): boolean {
  const [major, minor] = version.split(".").map(Number);
  if (major === undefined || minor === undefined || Number.isNaN(major) || Number.isNaN(minor)) return false;
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
}

/** Keys under our names that hold another type than they should, in plain words with what to do. */
export async function foreignKeys({ redis, keys }: Pick<SchemaContext, "redis" | "keys">): Promise<string[]> {
  const shared = Object.values(KEYS).filter(({ pattern }) => !pattern.includes("<"));
  const found = await callRedis("look at the types of the keys", () =>
    Promise.all(shared.map(({ pattern }) => redis.type(keys.prefix + pattern))),
  );
  return shared.flatMap(({ pattern, type }, at) => {
    const belongs = type === "sorted set" ? "zset" : type;
    const is = found[at] ?? "none";
    // Plain sets are an earlier phase's indexes, which a worker converts when it starts.
    const isFine = is === "none" || is === belongs || (is === "set" && belongs === "zset");
    return isFine ? [] : [wrongType(keys.prefix + pattern, is, belongs)];
  });
}

/** A cluster client sends INFO to any node: a primary is asked. */
async function readInfo(redis: RedisClient): Promise<string> {
  if (!(redis instanceof Cluster)) return redis.info();
  const [node] = redis.nodes("master");
  return node ? node.info() : redis.info();
}

export function parseInfo(text: string): Record<string, string> {
  const facts: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0 && !line.startsWith("#")) facts[line.slice(0, colon)] = line.slice(colon + 1).trim();
  }
  return facts;
}

/** What time it is by the clock of Redis, ms since 1970. */
export async function redisTimeMs(redis: RedisClient): Promise<number> {
  const [seconds, microseconds] = await callRedis("ask Redis for the time", () => redis.time());
  return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
}
