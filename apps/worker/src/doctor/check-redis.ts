/**
 * Checks Redis once: the server, the workers it knows, and its clock. An unavailable Redis is a finding like any other.
 */
import { redacted, type Config } from "@sluice/config";
import { CheckpointError } from "@sluice/core";
import { endingUploads, retentionOf } from "@sluice/control/ending-uploads";
import {
  OrphanStore,
  checkClusterPrefix,
  checkSchema,
  closeClient,
  foreignKeys,
  serverFacts,
  StreamReader,
  WorkerRegistry,
  type SchemaContext,
  type WorkerListing,
} from "@sluice/redis-schema";
import { CliError } from "../cli/exit-codes.ts";
import { connect } from "../cli/session.ts";
import { collect, selectRows } from "../cli/stream-rows.ts";
import { learnedAtWork } from "../start/connect-store.ts";
import { clockFinding } from "./clock-findings.ts";
import { finding, type Finding } from "./finding.ts";
import { redisFindings } from "./redis-findings.ts";
import { demotionFindings, endingFindings } from "./store-findings.ts";
import { workerFindings } from "./worker-findings.ts";

const PINGS = 15;

export async function checkRedis(config: Config): Promise<Finding[]> {
  let context: SchemaContext;
  try {
    context = await connect(config);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const [seen = "", ...rest] = error.message.split("\n");
    return [finding("redis.unreachable", "error", seen, rest.join(" "))];
  }
  try {
    return await ask(context, config);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return [finding("redis.unreachable", "error", `Redis gives an unexpected answer: ${error.message}`)];
  } finally {
    await closeClient(context.redis);
  }
}

async function ask(context: SchemaContext, config: Config): Promise<Finding[]> {
  const { redis } = context;
  const server = await serverFacts(redis);
  const prefix = checkClusterPrefix(config.keyPrefix, server.isCluster);
  const latencies: number[] = [];
  for (let at = 0; at < PINGS; at += 1) latencies.push(await timed(() => redis.ping()));
  const before = Date.now();
  const [seconds = 0, micros = 0] = await redis.time();
  const halfway = (before + Date.now()) / 2;
  const workers = await new WorkerRegistry(context).list();
  return [
    ...redisFindings({
      url: redacted(config.redisUrl),
      server,
      schema: await checkSchema(context, { claim: false }),
      prefixRemedy: prefix.ok ? undefined : prefix.remedy,
      latencyMs: median(latencies),
      allowEviction: config.allowEviction,
      foreignKeys: await foreignKeys(context),
    }),
    clockFinding("redis", Number(seconds) * 1_000 + Number(micros) / 1_000 - halfway),
    ...workerFindings(workers),
    ...endingFindings(await onlyCopiesThatEnd(context, workers), Date.now()),
    ...demotionFindings(await learnedAtWork(config, context)),
  ];
}

async function onlyCopiesThatEnd(context: SchemaContext, workers: readonly WorkerListing[]) {
  const now = Date.now();
  const failed = await collect(selectRows(new StreamReader(context), ["failed"], {}, now));
  const orphans = await new OrphanStore(context).orphans();
  return endingUploads({ rows: failed, orphans }, retentionOf(workers), now);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
