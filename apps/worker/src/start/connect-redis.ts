/** Connects to Redis as the worker needs it: reachable (waits for that), durable enough, with a supported schema. */
import type { Config } from "@sluice/config";
import { CheckpointError } from "@sluice/core";
import { Cluster } from "ioredis";
import {
  checkClusterPrefix,
  checkSchema,
  createClient,
  inPlainWords,
  judgeServer,
  keysWith,
  parseRedisUrl,
  redactUrl,
  serverFacts,
  whenReady,
  type RedisClient,
  type SchemaContext,
} from "@sluice/redis-schema";
import { trouble } from "@sluice/control/troubles";
import { Outage } from "../observe/outage.ts";
import type { SupervisorLog } from "../streams/supervisor.ts";
import { systemClock } from "@sluice/control/system-clock";
import type { RedisPatience } from "./redis-patience.ts";
import { StartRefused } from "./refusal.ts";

export interface RedisConnection {
  context: SchemaContext;
  /** For reads that block. */
  blocking: RedisClient;
}

/** A connection that takes longer is logged as waiting. */
const SILENCE_MS = 2_000;
/** Longest blocking read of the worker, ms. */
const BLOCK_MS = 2_000;

export async function connectRedis(
  config: Config,
  log: SupervisorLog,
  patience: RedisPatience,
  signal: AbortSignal,
  onError: () => void = () => undefined,
): Promise<RedisConnection> {
  const parsed = parseRedisUrl(config.redisUrl);
  if (!parsed.ok) throw new StartRefused([`SLUICE_REDIS_URL ${parsed.detail}`]);
  let isConnecting = true;
  const outage = new Outage(systemClock, log, {
    begins: "Redis cannot be reached; retrying",
    over: "Redis can be reached again",
    code: "redis_unreachable",
  });
  const cut = new Set<RedisClient>();
  const connect = (blockMs?: number): RedisClient => {
    const name = `sluice-worker:${config.workerId}`;
    const options = { name, ...(blockMs === undefined ? {} : { blockMs }) };
    const client = createClient(parsed.target, options, (error) => {
      onError();
      const reason = inPlainWords(error.message);
      if (isConnecting) return patience.note(reason);
      cut.add(client);
      outage.during(reason);
    });
    client.on("ready", () => {
      cut.delete(client);
      if (cut.size === 0) outage.over();
    });
    return client;
  };
  const redis = connect();
  const blocking = connect(BLOCK_MS);
  log.info({ redis: redactUrl(config.redisUrl) }, "connecting to Redis");
  const silence = setTimeout(() => patience.note("it does not answer"), SILENCE_MS);
  try {
    await Promise.all([whenReady(redis, signal), whenReady(blocking, signal)]);
  } finally {
    clearTimeout(silence);
    isConnecting = false;
  }
  const context: SchemaContext = { redis, keys: keysWith(config.keyPrefix), clock: systemClock };
  const reported = new Set<string>();
  await patience.wait(() => refuseUnfit(context, config, log, reported), signal);
  return { context, blocking };
}

/**
 * Rejects with StartRefused for permanent problems, with CheckpointError for temporary ones. `reported`: concerns that
 * were logged.
 */
async function refuseUnfit(
  context: SchemaContext,
  config: Config,
  log: SupervisorLog,
  reported: Set<string>,
): Promise<void> {
  const facts = await serverFacts(context.redis);
  const reasons: string[] = [];
  const waits: string[] = [];
  for (const concern of judgeServer(facts)) {
    const overridden = concern.code === "evicts" && config.allowEviction;
    if (concern.weight === "wait") waits.push(concern.text);
    else if (concern.weight === "refuse" && !overridden) reasons.push(concern.text);
    else if (!reported.has(concern.code)) {
      reported.add(concern.code);
      log.warn({ concern: concern.code, detail: concern.text, ...trouble("redis_concern") }, concern.text);
    }
  }
  const prefix = checkClusterPrefix(config.keyPrefix, facts.isCluster);
  if (!prefix.ok) reasons.push(prefix.remedy);
  const oneNode = facts.isCluster && !(context.redis instanceof Cluster);
  if (oneNode) {
    reasons.push(
      "SLUICE_REDIS_URL names one node of a Redis Cluster, which keeps most keys on other nodes: use redis+cluster:// with one or more of its nodes",
    );
  } else {
    const schema = await checkSchema(context, { claim: reasons.length === 0 && waits.length === 0 });
    if (schema.kind !== "ok") reasons.push(schema.remedy);
  }
  if (reasons.length > 0) throw new StartRefused(reasons);
  if (waits.length > 0) throw new CheckpointError(waits.join("; "));
}
