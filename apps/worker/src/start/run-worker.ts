/** `sluice worker`: from configuration to a running worker, and from a signal to a graceful shutdown. */
import { effectiveOfWorker, loadConfig, systemInputs, type Config, type Flags } from "@sluice/config";
import { StoppedError } from "@sluice/core";
import { trouble } from "@sluice/control/troubles";
import type { Worker } from "./app.ts";
import { createLog, type Log } from "../observe/log.ts";
import { noteTroubles, RecentTroubles } from "../observe/recent-troubles.ts";
import { systemClock } from "@sluice/control/system-clock";
import { buildWorker, type Started } from "./build-worker.ts";

/** sysexits.h: EX_TEMPFAIL. What could not be uploaded within the drain time is still on disk. */
const EXIT_UNFINISHED = 75;

/** A terminal or a service manager signals the whole group, and our parent passes the signal on: both count as one. */
const ONE_SIGNAL_MS = 400;

/**
 * Time limit for releasing the lease and closing connections at the end: a Redis that does not answer must not delay
 * it.
 */
const CLOSE_MS = 2_000;

export async function runWorker(flags: Flags): Promise<number> {
  const loaded = loadConfig(systemInputs(["worker"], flags));
  const { config, warnings } = loaded;
  const log = createLog(config);
  const troubles = new RecentTroubles(systemClock);
  noteTroubles(log, troubles);
  for (const warning of warnings) log.warn({}, warning);
  const stop = new AbortController();
  const ended = Promise.withResolvers<number>();
  const started: Started = {};
  let endingSinceMs: number | undefined;

  const onSignal = (signal: NodeJS.Signals): void => {
    if (endingSinceMs !== undefined) {
      if (performance.now() - endingSinceMs < ONE_SIGNAL_MS) return;
      log.warn({ signal }, "second signal: exiting at once");
      process.exit(EXIT_UNFINISHED);
    }
    endingSinceMs = performance.now();
    log.info({ signal, on_term: config.onTerm }, "shutting down: no new work is started");
    if (started.worker) ended.resolve(endPolitely(started.worker, config, stop, log));
    else {
      stop.abort(new StoppedError("stopped during start"));
      ended.resolve(0);
    }
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);

  const onFatal = (reason: string): void => {
    log.error({ reason, ...trouble("fatal") }, "fatal error, shutting down");
    ended.resolve(1);
  };
  const starting = buildWorker({
    config,
    settings: effectiveOfWorker(loaded),
    troubles,
    log,
    signal: stop.signal,
    started,
    onFatal,
  });
  starting.catch((error: unknown) => {
    if (endingSinceMs !== undefined && stop.signal.aborted) ended.resolve(0);
    else ended.reject(error as Error);
  });
  const built = await Promise.race([starting, ended.promise.then(() => undefined)]);
  const code = await ended.promise;
  stop.abort(new StoppedError("the worker ended"));
  if (built) await Promise.race([built.close(), systemClock.sleep(CLOSE_MS)]);
  log.info({ code }, "ended");
  return code;
}

/** Resolves with the exit code. What cannot be finished within the drain time is released as it is. */
async function endPolitely(worker: Worker, config: Config, stop: AbortController, log: Log): Promise<number> {
  const done = worker.end(config.onTerm).then(() => "done" as const);
  const late = systemClock.sleep(config.drainTimeoutMs).then(() => "late" as const);
  const outcome = await Promise.race([done, late]);
  // A stored file that could not be described or tidied in time has no byte at risk.
  const left = [...worker.supervisor.running.values()]
    .filter(({ processor }) => processor.record.status !== "s3_completed" || processor.unshippedBytes > 0)
    .map(({ processor, watch }) => ({
      record: processor.record,
      suffix: watch.rules.temporaryNames.suffixOf(processor.record.original_path),
    }));
  if (outcome === "late") {
    stop.abort(new StoppedError("the drain time is over"));
    await Promise.race([done, systemClock.sleep(1_000)]);
  }
  if (config.onTerm === "pause" || left.length === 0) return 0;
  for (const { record, suffix } of left) {
    const why = suffix === undefined ? "not sealed in time" : `not sealed: its name still ends in ${suffix}`;
    log.warn(
      { path: record.original_path, bytes: record.file_size - record.bytes_sent },
      `${why}; its last bytes are only on disk`,
    );
  }
  return EXIT_UNFINISHED;
}
