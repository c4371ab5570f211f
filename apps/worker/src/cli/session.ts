/**
 * A command's connection to Redis: made within seconds or not at all, checked for a supported schema, closed at the
 * end.
 */
import { loadConfig, redacted, systemInputs, type Config } from "@sluice/config";
import type { Actor } from "@sluice/control/run-plan";
import {
  checkSchema,
  closeClient,
  createClient,
  keysWith,
  parseRedisUrl,
  RequestQueue,
  StreamReader,
  whenReady,
  WorkerRegistry,
  type RedisClient,
  type SchemaContext,
} from "@sluice/redis-schema";
import { systemClock } from "@sluice/control/system-clock";
import { systemActor } from "./actor.ts";
import { CliError, EXIT, type ExitCode } from "./exit-codes.ts";
import { perform, type CommonFlags, type Run } from "./perform.ts";

export interface Session extends Run {
  config: Config;
  context: SchemaContext;
  reader: StreamReader;
  requests: RequestQueue;
  registry: WorkerRegistry;
  actor: Actor;
}

const CONNECT_MS = 5_000;

export async function performOnRedis(
  flags: CommonFlags,
  work: (session: Session) => Promise<ExitCode>,
): Promise<void> {
  await perform(flags, async (run) => {
    // Reading from Redis needs neither a bucket nor a watch.
    const { config } = loadConfig(systemInputs([]));
    const context = await connect(config);
    try {
      await refuseNewerSchema(context);
      return await work({
        ...run,
        config,
        context,
        reader: new StreamReader(context),
        requests: new RequestQueue(context),
        registry: new WorkerRegistry(context),
        actor: systemActor(),
      });
    } finally {
      await closeClient(context.redis);
    }
  });
}

/** Rejects with a CliError that says why Redis cannot be reached. */
export async function connect(config: Config): Promise<SchemaContext> {
  const parsed = parseRedisUrl(config.redisUrl);
  if (!parsed.ok) throw new CliError(EXIT.config, `SLUICE_REDIS_URL ${parsed.detail}`);
  const giveUp = new AbortController();
  const timer = setTimeout(
    () => giveUp.abort(new Error(`no answer within ${CONNECT_MS / 1_000} s`)),
    CONNECT_MS,
  );
  let last: Error | undefined;
  const redis: RedisClient = createClient(parsed.target, { name: "sluice-cli" }, (error) => {
    last = error;
    // A single server that refuses would refuse again; of several nodes another one may accept.
    if (parsed.target.kind === "single") giveUp.abort(error);
  });
  try {
    await whenReady(redis, giveUp.signal);
  } catch (error) {
    redis.disconnect();
    const why = (last ?? (error as Error)).message;
    const where = redacted(config.redisUrl);
    throw new CliError(
      EXIT.unavailable,
      `Redis at ${where} cannot be reached: ${why}\nIs it running, and is SLUICE_REDIS_URL the one the worker uses?`,
    );
  } finally {
    clearTimeout(timer);
  }
  return { redis, keys: keysWith(config.keyPrefix), clock: systemClock };
}

async function refuseNewerSchema(context: SchemaContext): Promise<void> {
  const schema = await checkSchema(context, { claim: false });
  if (schema.kind !== "ok") throw new CliError(EXIT.config, schema.remedy);
}
