/**
 * Builds everything a worker needs, in the order in which it can be had: health first, then Redis, the watches, the
 * store, the streams.
 */
import type { Config, EffectiveSetting, WatchConfig } from "@sluice/config";
import { spaceWords } from "@sluice/control/disk-space";
import { StoreGate, steadyClock } from "@sluice/core";
import {
  OrphanStore,
  WorkerRegistry,
  WorkerReports,
  closeClient,
  type SchemaContext,
} from "@sluice/redis-schema";
import type { PublicAddresses } from "@sluice/s3-store";
import { pinoObserver, combineObservers } from "../observe/pino-observer.ts";
import { nativeDigests, slowCrc32Because } from "../files/native-digests.ts";
import { Worker } from "./app.ts";
import { HealthServer, type Health } from "../observe/health-server.ts";
import { OpenForWrite } from "../files/writers/open-for-write.ts";
import { Metrics } from "../observe/metrics.ts";
import type { Log } from "../observe/log.ts";
import { SelfReport } from "../observe/self-report.ts";
import type { RecentTroubles } from "../observe/recent-troubles.ts";
import { startAll } from "./service.ts";
import { newId } from "../new-id.ts";
import { systemClock } from "@sluice/control/system-clock";
import { VERSION } from "../version.ts";
import { post, receiverOf } from "@sluice/webhooks/post";
import { Webhooks } from "../webhooks/webhooks.ts";
import { hasLiveStreams, unusableWatches } from "./check-watches.ts";
import { isKnownDead, ownIdentity, type ProcessIdentity } from "../takeover/process-identity.ts";
import { StateSince, particulars, blockersOf } from "../observe/worker-figures.ts";
import { connectRedis } from "./connect-redis.ts";
import { connectStore, storeHash } from "./connect-store.ts";
import { failpointFrom } from "./failpoint.ts";
import { metricsFacts } from "../observe/metrics-facts.ts";
import { RedisPatience } from "./redis-patience.ts";
import { StartRefused } from "./refusal.ts";
import { watchPorts } from "./watch-ports.ts";
import type { TimeAndChance, WorkerPorts } from "./worker-ports.ts";
import { safeguardOffBecause, workerSettings } from "./worker-settings.ts";
import { LeaseKeeper } from "../takeover/lease-keeper.ts";

/** Set once the worker runs; signals and health need it before that. */
export interface Started {
  worker?: Worker;
}

export interface BuildInputs {
  config: Config;
  /** The configuration as the dashboard shows it. */
  settings: readonly EffectiveSetting[];
  troubles: RecentTroubles;
  log: Log;
  signal: AbortSignal;
  started: Started;
  onFatal(reason: string): void;
}

export interface BuiltWorker {
  worker: Worker;
  close(): Promise<void>;
}

/** The real implementations, for this process. */
function timeAndChance(identity: ProcessIdentity): TimeAndChance {
  return {
    clock: systemClock,
    steadyMs: steadyClock(systemClock),
    random: Math.random,
    newId,
    digests: nativeDigests,
    startedMs: performance.timeOrigin,
    isGone: (other) => isKnownDead(other, identity),
  };
}

/** Rejects with StartRefused if the worker cannot work with this configuration and environment. */
export async function buildWorker(from: BuildInputs): Promise<BuiltWorker> {
  const { config, log, signal, started, onFatal } = from;
  const identity = ownIdentity();
  const ports = timeAndChance(identity);
  const { clock, random } = ports;
  const metrics = new Metrics({ version: VERSION, source: config.source }, clock);
  const observer = combineObservers(pinoObserver(log, clock), metrics.observer);
  const gate = new StoreGate({ clock, observer, random });
  const patience = new RedisPatience(clock, random, log);
  const health = new HealthServer({
    host: config.httpHost,
    port: config.httpPort,
    health: () => healthOf(started.worker, gate, patience),
    metrics: async () => ({
      contentType: metrics.registry.contentType,
      text: await metrics.registry.metrics(),
    }),
  });
  // What was built is closed in reverse order, also if a later part cannot be built.
  await using stack = new AsyncDisposableStack();
  stack.use(await startAll([health], signal));
  if (slowCrc32Because !== undefined)
    log.warn({ detail: slowCrc32Because }, "CRC32 is computed by zlib: it takes about five times the CPU");
  log.info({ address: `http://${config.httpHost}:${health.port}` }, "health and metrics");
  const { context, blocking } = await connectRedis(config, log, patience, signal, () => metrics.redisError());
  stack.adopt(context.redis, closeClient);
  // It waits in a blocking read, which would delay the shutdown.
  stack.adopt(blocking, (client) => client.disconnect());
  const mayRefuse =
    !config.startBlocked && !(await patience.wait(() => hasLiveStreams(context, config.source), signal));
  const unusable = await unusableWatches(config.watches);
  if (unusable.length > 0 && mayRefuse)
    throw new StartRefused(unusable.map(({ what, remedy }) => `${what}: ${remedy}`));
  for (const { what } of unusable) log.warn({}, `${what}; its streams wait`);
  const waiting = stack.use(leaseWhileWaiting(from, identity, context, gate, ports));
  const report = new SelfReport({
    reports: new WorkerReports(context),
    workerId: config.workerId,
    settings: from.settings,
    troubles: from.troubles,
    partSeconds: () => metrics.partSeconds(),
    startedMs: ports.startedMs,
    // Under this id another process may report.
    mayWrite: () => started.worker?.lease.fresh() ?? waiting.fresh(),
    clock,
    log,
    onFault: (error) => onFatal(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  });
  stack.use(await startAll([report], signal));
  let holding: Promise<void> | undefined;
  const waits = (): Promise<void> => (holding ??= patience.wait(() => waiting.start(signal), signal));
  const { store, answers, hash, connection, addresses } = await connectStore(
    config,
    context,
    { mayRefuse, patience, gate, waits },
    log,
    signal,
  );
  stack.use(connection);
  const offBecause = config.tailSafeguardMs > 0 ? safeguardOffBecause(answers.profile) : undefined;
  if (offBecause !== undefined) log.warn({ bucket: config.s3Bucket }, offBecause);
  const writers = new OpenForWrite(clock);
  const watching = watchPorts(config, log, writers);
  stack.use(await startAll(watching.watchers, signal));
  await sayWhoIsSeen(config, writers, log);
  const s3Address = await addressForBrowsers(addresses, config.s3Bucket, log);
  const worker = new Worker(
    {
      ...workerSettings(config, answers.profile, hash),
      ...(s3Address === undefined ? {} : { s3Address }),
    },
    {
      ...ports,
      identity,
      waitedUnder: holding && waiting.nonce,
      context,
      blocking,
      store,
      downloads: config.s3Downloads ? addresses : undefined,
      gate,
      redisPatience: patience,
      ...watching,
      observer,
      log,
      failpoint: failpointFrom(process.env["FAILPOINT"]),
      onFatal,
    },
    signal,
  );
  await waiting.handOver();
  stack.use(worker.lease);
  await worker.start();
  started.worker = worker;
  metrics.observe(metricsFacts(worker, gate, new OrphanStore(context), watching.refusedLinks, clock));
  stack.use(await startAll([webhooks(from, worker, context, metrics, ports)], signal));
  const owned = stack.move();
  return { worker, close: () => owned.disposeAsync() };
}

/** Undefined if there is none, as for an access point at an endpoint of its own; the uploads do not depend on it. */
async function addressForBrowsers(
  addresses: PublicAddresses,
  bucket: string,
  log: Log,
): Promise<string | undefined> {
  try {
    return await addresses.of(bucket);
  } catch (error) {
    log.warn(
      { bucket, err: error },
      "the dashboard shows no address of its objects: they have none for browsers",
    );
    return undefined;
  }
}

async function sayWhoIsSeen(config: Config, writers: OpenForWrite, log: Log): Promise<void> {
  const seen = await writers.visibility();
  log.info({ seen: seen.seen }, seen.detail);
  for (const { name } of seen.seen === "all" ? [] : config.watches.filter(waitsForSigns)) {
    log.warn(
      { watch: name },
      "files that are complete only because they are idle are not deleted or moved, because their writers cannot be seen (SLUICE_TIDY_UNSEEN)",
    );
  }
}

/** If writers cannot be seen, its files are tidied only after a marker, a rename or "finalize now". */
function waitsForSigns({ afterUpload, tidyUnseen, ignoreOpen }: WatchConfig): boolean {
  return afterUpload.kind !== "keep" && !tidyUnseen && !ignoreOpen;
}

function webhooks(
  { config, log, onFatal }: BuildInputs,
  { identity, supervisor }: Worker,
  context: SchemaContext,
  { registry }: Metrics,
  { clock, random }: Pick<WorkerPorts, "clock" | "random">,
): Webhooks {
  const receiver = receiverOf(config, VERSION);
  return new Webhooks({
    config,
    clock,
    random,
    post: receiver && ((message, signal) => post(receiver, message, signal)),
    context,
    identity: { workerId: config.workerId, nonce: identity.nonce },
    *held() {
      for (const { processor } of supervisor.running.values()) yield processor;
    },
    registry,
    log,
    onFault: (error) => onFatal(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  });
}

function healthOf(worker: Worker | undefined, gate: StoreGate, patience: RedisPatience): Health {
  if (!worker) return { phase: "starting", blocked: blockersOf(gate, patience.trouble, []), concerns: [] };
  const concerns = worker.runners.flatMap(({ watch, state }) =>
    state.state === "offline" ? [`watch ${watch.name}: ${state.detail}`] : [],
  );
  concerns.push(
    ...worker.space.known
      .filter(({ filling_since_utc }) => filling_since_utc !== undefined)
      .map((space) => `watch ${space.watch}: its disk fills, ${spaceWords(space)}`),
  );
  const blocked = blockersOf(gate, worker.lease.trouble, worker.failing);
  if (blocked.length + concerns.length > 0)
    concerns.push(`${worker.figures.lag_bytes} bytes on disk are not in S3 yet`);
  return { phase: worker.draining ? "draining" : "running", blocked, concerns };
}

const NOT_SCANNED = "its watches are not scanned until then, so its lag is unknown";

/**
 * While a start waits for the store, the worker already holds its lease: the dashboard, `doctor` and other workers see
 * that it exists, what it waits for and since when. Its files have not been scanned yet, so it reports no lag. From the
 * lease, other workers know that it holds no stream, and take over those of its predecessor. This lease has its own
 * nonce, so that streams the worker holds later are not taken for idle.
 */
function leaseWhileWaiting(
  { config, log, onFatal }: { config: Config; log: Log; onFatal(reason: string): void },
  identity: ProcessIdentity,
  context: SchemaContext,
  gate: StoreGate,
  { clock, newId, startedMs, isGone }: Pick<WorkerPorts, "clock" | "newId" | "startedMs" | "isGone">,
): LeaseKeeper {
  const { source, watches, workerId } = config;
  const self = particulars({
    version: VERSION,
    source,
    watches,
    storeHash: storeHash(config),
    bucket: config.s3Bucket,
    failedUploadRetentionMs: config.failedUploadRetentionMs,
    startedMs,
  });
  const since = new StateSince(clock);
  const keeper: LeaseKeeper = new LeaseKeeper({
    registry: new WorkerRegistry(context),
    workerId,
    identity: { ...identity, nonce: newId() },
    isGone,
    clock,
    describe: () => ({
      ...self,
      state: "blocked",
      state_detail: [...blockersOf(gate, keeper.trouble, []), NOT_SCANNED].join("; "),
      state_since_utc: since.of("blocked"),
      in_flight_bytes: 0,
    }),
    onLost: onFatal,
    log,
  });
  return keeper;
}
