/**
 * One worker of production in the simulated world: the same classes from the same composition root; the ports lead into the
 * world instead of out of the process.
 */
import { loadConfig, type Config } from "@sluice/config";
import {
  SILENT,
  steadyClock,
  StoreGate,
  type ObjectStore,
  type Observer,
  type StreamRecord,
  type WriterProbe,
} from "@sluice/core";
import { keysWith } from "@sluice/redis-schema";
import { nativeDigests } from "@sluice/worker/files/native-digests";
import { PathHints } from "@sluice/worker/files/watch/hints";
import { newId } from "@sluice/worker/new-id";
import type { Log } from "@sluice/worker/observe/log";
import { Worker } from "@sluice/worker/start/app";
import { RedisPatience } from "@sluice/worker/start/redis-patience";
import { watchPorts } from "@sluice/worker/start/watch-ports";
import { workerSettings } from "@sluice/worker/start/worker-settings";
import { isKnownDead, type ProcessIdentity } from "@sluice/worker/takeover/process-identity";
import { connect, type RedisServer } from "./redis/client.ts";
import type { SimulatedProcess } from "./world/process.ts";

export interface WorkerWorld {
  redis: RedisServer;
  store(process: SimulatedProcess): ObjectStore;
  writers: WriterProbe;
  log(process: SimulatedProcess, level: string, text: string): void;
}

export interface RunningWorker {
  readonly process: SimulatedProcess;
  readonly worker: Worker;
  readonly hints: PathHints;
  /** Rejects when the start was refused. */
  readonly started: Promise<unknown>;
  fatal: string | undefined;
  /** SIGTERM. */
  stop(how: "pause" | "seal"): Promise<void>;
}

/** How a file is cut. S3 wants five MiB; the simulated store takes less, so that files of some KiB have many parts. */
export interface Cut {
  partBytes: number;
  /** One request takes a file of so many whole. */
  bufferBytes: number;
}

export function configOf(env: Record<string, string>, { partBytes, bufferBytes }: Cut): Config {
  const { config } = loadConfig({
    env,
    cwd: "/",
    hostname: "host",
    readFile(path) {
      throw Object.assign(new Error(path), { code: "ENOENT" });
    },
    container: () => undefined,
    roles: ["worker"],
  });
  return { ...config, partBytes, partBufferBytes: bufferBytes };
}

export function startWorker(process: SimulatedProcess, config: Config, world: WorkerWorld): RunningWorker {
  return process.run(() => start(process, config, world));
}

function start(process: SimulatedProcess, config: Config, world: WorkerWorld): RunningWorker {
  const { clock, random } = process;
  const say = (level: string) => (fields: object, message: string) =>
    world.log(process, level, `${message} ${JSON.stringify(fields, textOfErrors)}`);
  const log = { info: say("info"), warn: say("warn"), error: say("error"), debug: say("debug") };
  const stop = new AbortController();
  const identity: ProcessIdentity = {
    nonce: random.hex(32),
    boot_id: "simulated-boot",
    pid_namespace: "pid:[1]",
    host: "host",
    pid: process.pid,
    process_started: String(process.startedAtMs),
  };
  const chance = (): number => random.next();
  const gate = new StoreGate({ clock, observer: SILENT, random: chance });
  const hints = new PathHints();
  const store = world.store(process);
  const running: { fatal: string | undefined } = { fatal: undefined };
  const worker = new Worker(
    workerSettings(config, store.profile, "simulated"),
    {
      clock,
      steadyMs: steadyClock(clock),
      random: chance,
      newId,
      digests: nativeDigests,
      startedMs: clock.wallMs(),
      isGone: (other) => isKnownDead(other, identity),
      identity,
      context: { redis: connect(world.redis, process), keys: keysWith(""), clock },
      blocking: connect(world.redis, process),
      store,
      gate,
      redisPatience: new RedisPatience(clock, chance, log),
      // Its directory watchers are never started: events come from the simulated volume.
      ...watchPorts(config, log as unknown as Log, world.writers),
      hints,
      // The simulated volume has no size.
      diskSpace: () => Promise.resolve(undefined),
      observer: observerOf({ info: say("info") }),
      log,
      onFatal(reason) {
        running.fatal ??= reason;
        world.log(process, "fatal", reason);
      },
    },
    stop.signal,
  );
  // One that is told to end while it starts is not refused.
  const started = worker.start().catch((error: unknown) => {
    if (!stop.signal.aborted && !worker.draining) throw error;
  });
  return {
    process,
    worker,
    hints,
    started,
    get fatal() {
      return running.fatal;
    },
    stop: (how) =>
      process.run(async () => {
        await worker.end(how);
        stop.abort();
        await worker.lease[Symbol.asyncDispose]();
        process.kill();
      }),
  };
}

/** What happens to streams, for the timeline. */
function observerOf(log: { info(fields: object, message: string): void }): Observer {
  const say = ({ id, original_path: path, status }: StreamRecord, what: string): void =>
    log.info({ id, path, status }, what);
  return {
    ...SILENT,
    opened: (stream) => say(stream, "file found"),
    moved: say,
    removed: (stream, _, detail) => say(stream, `stream removed: ${detail}`),
    decided: say,
    tidyFailed: (stream, _, detail) => say(stream, `not tidied: ${detail}`),
  };
}

function textOfErrors(_: string, value: unknown): unknown {
  if (value instanceof Error) return value.stack?.includes("InvariantError") ? value.stack : value.message;
  return value;
}
