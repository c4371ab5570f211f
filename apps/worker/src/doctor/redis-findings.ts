/**
 * Whether checkpoints are safe in this Redis, and whether it is fast enough. Pure: the facts are gathered elsewhere.
 */
import { judgeServer, type SchemaCheck, type ServerConcern, type ServerFacts } from "@sluice/redis-schema";
import { formatBytes, formatDuration } from "@sluice/control/units";
import { finding, ok, type Finding } from "./finding.ts";

export interface RedisFacts {
  /** Without the password. */
  url: string;
  server: ServerFacts;
  schema: SchemaCheck;
  /** What is wrong with the key prefix on a cluster. */
  prefixRemedy: string | undefined;
  /** Round trip of a PING, median, ms. */
  latencyMs: number;
  allowEviction: boolean;
  /** Keys whose type is wrong, described in words. */
  foreignKeys?: readonly string[];
}

/** Each part costs one call, and a worker must renew its lease every 5 s: above this, Redis slows uploads down. */
const SLOW_MS = 50;
const VERY_SLOW_MS = 500;
/** Of maxmemory. */
const NEARLY_FULL = 0.8;

const REMEDIES: Record<ServerConcern["code"], string> = {
  evicts:
    "Set maxmemory-policy noeviction in the Redis configuration (CONFIG SET maxmemory-policy noeviction until it restarts).",
  not_durable: "Set appendonly yes in the Redis configuration (CONFIG SET appendonly yes until it restarts).",
  too_old: "Upgrade Redis, or use Valkey.",
  replica: "Name the primary in SLUICE_REDIS_URL, or use redis+sentinel://.",
};

export function redisFindings(facts: RedisFacts): Finding[] {
  const { server, url, schema, prefixRemedy, allowEviction } = facts;
  const concerns = judgeServer(server);
  const has = (code: ServerConcern["code"]): boolean => concerns.some((concern) => concern.code === code);
  const findings = concerns.map(({ code, weight, text }): Finding => {
    const isWrong = weight !== "warn" && !(code === "evicts" && allowEviction);
    return finding(`redis.${code}`, isWrong ? "error" : "warning", text, REMEDIES[code]);
  });
  const up = `up for ${formatDuration(server.uptimeSeconds * 1_000)}`;
  findings.unshift(ok("redis.reached", `${server.product} ${server.version} at ${url}, ${up}.`));
  if (!has("not_durable")) findings.push(ok("redis.durable", "The append-only file is on."));
  if (!has("evicts")) findings.push(eviction(server));
  findings.push(latency(facts), memory(server));
  for (const text of facts.foreignKeys ?? []) {
    const remedy = "Until then workers are blocked. Nothing is written partially.";
    findings.push(finding("redis.foreign_key", "error", `${text}.`, remedy));
  }
  if (schema.kind !== "ok")
    findings.push(
      finding("redis.schema", "error", "The keys belong to another schema version.", schema.remedy),
    );
  if (prefixRemedy !== undefined)
    findings.push(
      finding(
        "redis.cluster_prefix",
        "error",
        "Keys would be spread over several cluster slots.",
        prefixRemedy,
      ),
    );
  return findings;
}

function eviction({ evictionPolicy }: ServerFacts): Finding {
  if (evictionPolicy === undefined) {
    const seen = "The server does not report its eviction policy.";
    return finding("redis.eviction_unknown", "info", seen, "Make sure that maxmemory-policy is noeviction.");
  }
  return ok("redis.no_eviction", "Keys are never evicted (noeviction).");
}

function latency({ latencyMs }: RedisFacts): Finding {
  const seen = `A round trip takes ${latencyMs.toFixed(1)} ms.`;
  if (latencyMs < SLOW_MS) return ok("redis.latency", seen);
  const severity = latencyMs < VERY_SLOW_MS ? "warning" : "error";
  return finding(
    "redis.slow",
    severity,
    seen,
    "Run Redis closer to the worker: every part costs a round trip.",
  );
}

function memory({ maxMemoryBytes, usedMemoryBytes }: ServerFacts): Finding {
  if (maxMemoryBytes === 0) return ok("redis.memory", `${formatBytes(usedMemoryBytes)} used, no limit.`);
  const seen = `${formatBytes(usedMemoryBytes)} of ${formatBytes(maxMemoryBytes)} used.`;
  if (usedMemoryBytes < NEARLY_FULL * maxMemoryBytes) return ok("redis.memory", seen);
  const remedy = "Raise maxmemory: a full Redis takes no checkpoints, and workers wait.";
  return finding("redis.nearly_full", usedMemoryBytes >= maxMemoryBytes ? "error" : "warning", seen, remedy);
}
