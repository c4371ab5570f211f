/** `sluice worker`: from configuration to a running worker, and from a signal to a polite end. */
import { loadConfig, systemInputs, type Config, type Flags } from "@sluice/config";
import { StoppedError, StoreGate } from "@sluice/core";
import { closeClient } from "@sluice/redis-schema";
import { logObserver, tellAll } from "../adapters/log-observer.ts";
import { startWorker, type Worker } from "../app.ts";
import { HealthServer, type Health } from "../health/health-server.ts";
import { Metrics } from "../health/metrics.ts";
import { createLog, type Log } from "../log.ts";
import { systemClock } from "../system-clock.ts";
import { hasLiveStreams, unusableWatches } from "./check-watches.ts";
import { connectRedis } from "./connect-redis.ts";
import { connectStore } from "./connect-store.ts";
import { failpointFrom } from "./failpoint.ts";
import { StartRefused } from "./refusal.ts";
import { VERSION } from "../version.ts";
import { watchPorts } from "./watch-ports.ts";
import { workerSettings } from "./worker-settings.ts";

/** sysexits.h: EX_TEMPFAIL: what did not fit into the drain time is still on disk. */
const EXIT_UNFINISHED = 75;

export async function runWorker(flags: Flags): Promise<number> {
  const { config, warnings } = loadConfig(systemInputs(["worker"], flags));
  const log = createLog(config);
  for (const warning of warnings) log.warn({}, warning);
  const stop = new AbortController();
  const ended = Promise.withResolvers<number>();
  let worker: Worker | undefined;
  let ending = false;

  const onSignal = (signal: NodeJS.Signals): void => {
    if (ending) {
      log.warn({ signal }, "a second signal: ending at once");
      process.exit(EXIT_UNFINISHED);
    }
    ending = true;
    log.info({ signal, on_term: config.onTerm }, "ending: nothing new is begun");
    if (worker) ended.resolve(endPolitely(worker, config, stop, log));
    else {
      stop.abort(new StoppedError("stopped during start"));
      ended.resolve(0);
    }
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);

  const starting = build(config, log, stop, (reason) => {
    log.error({ reason }, "the worker must end");
    ended.resolve(1);
  });
  starting.catch((error: unknown) => {
    if (ending && stop.signal.aborted) ended.resolve(0);
    else ended.reject(error as Error);
  });
  const built = await Promise.race([starting, ended.promise.then(() => undefined)]);
  worker = built?.worker;
  const code = await ended.promise;
  stop.abort(new StoppedError("the worker ended"));
  await built?.close();
  log.info({ code }, "ended");
  return code;
}

async function build(config: Config, log: Log, stop: AbortController, onFatal: (reason: string) => void) {
  const { signal } = stop;
  const metrics = new Metrics({ version: VERSION, source: config.source });
  const observer = tellAll(logObserver(log), metrics.observer);
  const gate = new StoreGate({ clock: systemClock, observer, random: Math.random });
  let running: Worker | undefined;
  const health = new HealthServer({
    host: config.httpHost,
    port: config.httpPort,
    health: () => healthOf(running, gate),
    metrics: async () => ({
      contentType: metrics.registry.contentType,
      text: await metrics.registry.metrics(),
    }),
  });
  await health.start();
  log.info({ address: `http://${config.httpHost}:${health.port}` }, "health and metrics");
  const { context, blocking } = await connectRedis(config, log, signal);
  const mayRefuse = !(await hasLiveStreams(context, config.source));
  const unusable = await unusableWatches(config.watches);
  if (unusable.length > 0 && mayRefuse) throw new StartRefused(unusable);
  for (const problem of unusable) log.warn({}, `${problem}; its streams wait`);
  const { store, answers, connection } = await connectStore(config, context, mayRefuse, log, signal);
  const watching = watchPorts(config, log);
  for (const watcher of watching.watchers) await watcher.start(signal);
  const seen = await watching.writers.visibility();
  log.info({ seen: seen.seen }, seen.detail);
  const worker = await startWorker(
    workerSettings(config, answers.profile),
    {
      context,
      blocking,
      store,
      gate,
      ...watching,
      tidier: { remove: async () => ({ kind: "done" }), move: async () => ({ kind: "done" }) },
      observer,
      log,
      failpoint: failpointFrom(process.env["FAILPOINT"]),
      onFatal,
    },
    signal,
  );
  running = worker;
  metrics.observe({
    supervisor: worker.supervisor,
    blocked: () => gate.state.blocked,
    inFlightParts: () =>
      [...worker.supervisor.running.values()].reduce(
        (sum, { processor }) => sum + processor.partsInFlight,
        0,
      ),
    offlineWatches: () => worker.runners.filter(({ state }) => state.state === "offline").length,
  });
  return {
    worker,
    async close() {
      await health[Symbol.asyncDispose]();
      for (const watcher of watching.watchers) await watcher[Symbol.asyncDispose]();
      await worker.lease[Symbol.asyncDispose]();
      await Promise.all([closeClient(context.redis), closeClient(blocking)]);
      connection[Symbol.dispose]();
    },
  };
}

function healthOf(worker: Worker | undefined, gate: StoreGate): Health {
  if (!worker) return { phase: "starting", concerns: [] };
  const concerns = worker.runners.flatMap(({ watch, state }) =>
    state.state === "offline" ? [`watch ${watch.name}: ${state.detail}`] : [],
  );
  if (gate.state.blocked) concerns.push(`store: ${gate.state.reason}`);
  if (!worker.lease.fresh()) concerns.push("Redis: the lease could not be renewed lately");
  return { phase: worker.draining ? "draining" : "running", concerns };
}

/** Resolves with the exit code. What does not fit into the drain time is let go as it stands. */
async function endPolitely(worker: Worker, config: Config, stop: AbortController, log: Log): Promise<number> {
  const done = worker.end(config.onTerm).then(() => "done" as const);
  const late = systemClock.sleep(config.drainTimeoutMs).then(() => "late" as const);
  const outcome = await Promise.race([done, late]);
  const left = [...worker.supervisor.running.values()].map(({ processor }) => processor.record);
  if (outcome === "late") {
    stop.abort(new StoppedError("the drain time is over"));
    await Promise.race([done, systemClock.sleep(1_000)]);
  }
  if (config.onTerm === "pause" || left.length === 0) return 0;
  for (const record of left) {
    log.warn(
      { path: record.original_path, bytes: record.file_size - record.bytes_sent },
      "not sealed in time; its last bytes are only on disk",
    );
  }
  return EXIT_UNFINISHED;
}
