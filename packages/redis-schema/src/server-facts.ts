/** What the Redis server reports about itself (INFO only: managed services refuse CONFIG). */
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
  /** Absent if the server does not report it. */
  evictionPolicy?: string;
  uptimeSeconds: number;
}

export interface ServerConcern {
  code: "evicts" | "not_durable" | "too_old" | "replica";
  /**
   * `refuse`: the worker must not start (can be overridden for `evicts`); `wait`: it waits until the problem is over;
   * `warn`: logged at start.
   */
  weight: "refuse" | "wait" | "warn";
  text: string;
}

const OLDEST = [6, 2] as const;

/**
 * What the server says of itself: version, eviction, persistence, memory (bytes). Rejects with CheckpointError if
 * it does not answer.
 */
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

/** What an operator should know before trusting this server with checkpoints. Pure. */
export function judgeServer(facts: ServerFacts): ServerConcern[] {
  const concerns: ServerConcern[] = [];
  const { evictionPolicy, version } = facts;
  if (evictionPolicy !== undefined && evictionPolicy !== "noeviction") {
    const text =
      `Redis may evict checkpoints (maxmemory-policy is ${evictionPolicy}): set it to noeviction, ` +
      "or set SLUICE_ALLOW_EVICTION=true to start anyway";
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
      "Redis has no append-only file: after a crash of Redis, streams are rebuilt from S3 and the local files " +
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

/** Keys with our names that hold a wrong type, described in words with what to do. */
export async function foreignKeys({ redis, keys }: Pick<SchemaContext, "redis" | "keys">): Promise<string[]> {
  const shared = Object.values(KEYS).filter(({ pattern }) => !pattern.includes("<"));
  const found = await callRedis("look at the types of the keys", () =>
    Promise.all(shared.map(({ pattern }) => redis.type(keys.prefix + pattern))),
  );
  return shared.flatMap(({ pattern, type }, at) => {
    const belongs = type === "sorted set" ? "zset" : type;
    const is = found[at] ?? "none";
    // Plain sets are indexes of an early version, which a worker converts when it starts.
    const isFine = is === "none" || is === belongs || (is === "set" && belongs === "zset");
    return isFine ? [] : [wrongType(keys.prefix + pattern, is, belongs)];
  });
}

/** A cluster client sends INFO to any node, so a primary is chosen. */
async function readInfo(redis: RedisClient): Promise<string> {
  if (!(redis instanceof Cluster)) return redis.info();
  const [node] = redis.nodes("master");
  return node ? node.info() : redis.info();
}

/** The lines of INFO by name. */
export function parseInfo(text: string): Record<string, string> {
  const facts: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0 && !line.startsWith("#")) facts[line.slice(0, colon)] = line.slice(colon + 1).trim();
  }
  return facts;
}

/** The time on Redis's clock, ms since 1970. */
export async function redisTimeMs(redis: RedisClient): Promise<number> {
  const [seconds, microseconds] = await callRedis("ask Redis for the time", () => redis.time());
  return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
}
