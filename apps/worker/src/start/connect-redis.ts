/** Redis as the worker needs it: reachable (waited for), durable enough, of a schema this version knows. */
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
  type RedisTarget,
  type SchemaContext,
} from "@sluice/redis-schema";
import type { SupervisorLog } from "../streams/supervisor.ts";
import { systemClock } from "../system-clock.ts";
import type { RedisPatience } from "./redis-patience.ts";
import { StartRefused } from "./refusal.ts";

export interface RedisConnection {
  context: SchemaContext;
  /** For reads that block. */
  blocking: RedisClient;
}

/** A connection that takes longer is said to be waited for. */
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
  const failed = (error: Error): void => {
    onError();
    if (isConnecting) patience.note(inPlainWords(error.message));
  };
  const redis = connect(parsed.target, config, log, failed);
  const blocking = connect(parsed.target, config, log, failed, BLOCK_MS);
  log.info({ redis: redactUrl(config.redisUrl) }, "connecting to Redis");
  const silence = setTimeout(() => patience.note("it does not answer"), SILENCE_MS);
  try {
    await Promise.all([whenReady(redis, signal), whenReady(blocking, signal)]);
  } finally {
    clearTimeout(silence);
    isConnecting = false;
  }
  const context: SchemaContext = { redis, keys: keysWith(config.keyPrefix), clock: systemClock };
  const told = new Set<string>();
  await patience.wait(() => refuseUnfit(context, config, log, told), signal);
  return { context, blocking };
}

function connect(
  target: RedisTarget,
  config: Config,
  log: SupervisorLog,
  onError: (error: Error) => void,
  blockMs?: number,
): RedisClient {
  let last = "";
  const client = createClient(
    target,
    { name: `sluice-worker:${config.workerId}`, ...(blockMs === undefined ? {} : { blockMs }) },
    (error) => {
      onError(error);
      // An outage is told once, not at each attempt.
      if (error.message !== last) log.warn({ err: error.message }, "Redis cannot be reached; trying again");
      last = error.message;
    },
  );
  client.on("ready", () => (last = ""));
  return client;
}

/** Rejects with StartRefused for what cannot be right, with CheckpointError for what may be over soon. `told`: concerns that were said. */
async function refuseUnfit(
  context: SchemaContext,
  config: Config,
  log: SupervisorLog,
  told: Set<string>,
): Promise<void> {
  const facts = await serverFacts(context.redis);
  const reasons: string[] = [];
  const waits: string[] = [];
  for (const concern of judgeServer(facts)) {
    const overridden = concern.code === "evicts" && config.allowEviction;
    if (concern.weight === "wait") waits.push(concern.text);
    else if (concern.weight === "refuse" && !overridden) reasons.push(concern.text);
    else if (!told.has(concern.code)) {
      told.add(concern.code);
      log.warn({ concern: concern.code }, concern.text);
    }
  }
  const prefix = checkClusterPrefix(config.keyPrefix, facts.isCluster);
  if (!prefix.ok) reasons.push(prefix.remedy);
  const oneNode = facts.isCluster && !(context.redis instanceof Cluster);
  if (oneNode) {
    reasons.push(
      "SLUICE_REDIS_URL names one node of a Redis Cluster, which sends most keys elsewhere: write redis+cluster://, with one or more of its nodes",
    );
  } else {
    const schema = await checkSchema(context, { claim: reasons.length === 0 && waits.length === 0 });
    if (schema.kind !== "ok") reasons.push(schema.remedy);
  }
  if (reasons.length > 0) throw new StartRefused(reasons);
  if (waits.length > 0) throw new CheckpointError(waits.join("; "));
}
