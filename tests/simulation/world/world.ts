/** Everything that simulated workers share: time, one volume, one Redis, one bucket. */
import type { WriterProbe } from "@sluice/core";
import { allowPartsFrom } from "@sluice/core";
import { nativeDigests } from "@sluice/worker/files/native-digests";
import { Disk, type DiskCharacter } from "../disk/disk.ts";
import { mountWorld } from "../disk/node-fs.ts";
import { RedisServer } from "../redis/client.ts";
import { Database } from "../redis/database.ts";
import { Bucket, FAIR, storeOf, type SimulatedStore } from "../store/store.ts";
import { configOf, startWorker, type Cut, type RunningWorker } from "../worker.ts";
import { installGlobals } from "./globals.ts";
import { currentProcess, SimulatedProcess } from "./process.ts";
import { Random } from "./random.ts";
import { BUCKET, OTHER_ROOT, ROOT } from "./roots.ts";
import { Timeline } from "./timeline.ts";

export interface WorldOptions {
  seed: number;
  disk: DiskCharacter;
  /** As SLUICE_… in the environment of each worker. */
  settings?: Record<string, string>;
  /** Chance that a call of the file system takes a while. */
  slowness?: number;
  /** How long it may take, ms. */
  slowestMs?: number;
  /** Whether writers of other processes can be seen. */
  writersSeen?: boolean;
  events?: { lost: number; doubled: number; slowestMs: number };
  store?: ConstructorParameters<typeof Bucket>[0]["profile"];
  cut?: Cut;
}

export interface Asked {
  store: number;
  redis: number;
  disk: number;
}

export const LEAST_PART_BYTES = 8 * 1024;
const CUT: Cut = { partBytes: 16 * 1024, bufferBytes: 16 * 1024 };

export class World {
  readonly timeline = new Timeline();
  readonly random: Random;
  readonly disk: Disk;
  readonly redis: RedisServer;
  readonly store: SimulatedStore;
  readonly workers = new Map<string, RunningWorker>();
  /** One line for each thing that happened, the same for the same seed. */
  readonly log: string[] = [];
  /** What no process may ever do. */
  readonly faults: string[] = [];
  readonly #options: WorldOptions;
  #settings: Record<string, string>;
  #replaces: boolean;
  #requests = 0;
  #pids = 1_000;
  readonly #living = new Map<number, SimulatedProcess>();

  constructor(options: WorldOptions) {
    installGlobals();
    allowPartsFrom(LEAST_PART_BYTES);
    const { timeline } = this;
    this.#options = options;
    this.#settings = { ...options.settings };
    this.#replaces = this.#settings["SLUICE_ON_REPLACE"] === "replace";
    this.random = new Random(options.seed);
    this.disk = new Disk(options.disk, () => timeline.wallMs);
    this.disk.makeDirectory("/simulated");
    for (const root of [ROOT, OTHER_ROOT]) this.disk.makeDirectory(root);
    const redisId = this.random.fork("redis").hex(40);
    this.redis = new RedisServer(
      new Database({ nowMs: () => Math.floor(timeline.wallMs), runId: redisId }),
      timeline,
    );
    this.disk.onDone = (what) => this.say(`${currentProcess()?.name ?? "writer"}: ${what}`);
    this.redis.database.onWrite = ([command = "", key = "", ...rest]) => {
      if (key === "files:done") this.say(`files:done: ${command} ${rest.join(" ")}`);
    };
    const bucket = new Bucket({
      clock: { wallMs: () => timeline.wallMs },
      digests: nativeDigests,
      profile: options.store,
    });
    this.store = {
      bucket,
      weather: { ...FAIR },
      onRequest: (line) => {
        this.#requests += 1;
        this.say(line);
      },
      onLateUpload: () => undefined,
      onNeedless: () => undefined,
    };
    mountWorld({
      disk: this.disk,
      slowness: options.slowness ?? 0.1,
      slowestMs: options.slowestMs ?? 3,
      startOf: (pid) => {
        const process = this.#living.get(pid);
        return process && !process.dead ? String(process.startedAtMs) : undefined;
      },
    });
    this.#watchDisk(options.events ?? { lost: 0.1, doubled: 0.1, slowestMs: 300 });
  }

  /** Whether writers of other processes can be seen. */
  get writersSeen(): boolean {
    return this.#options.writersSeen !== false;
  }

  /** Whether another file at a completed path gets a name of its own, so that the first object stays. */
  get keepsBoth(): boolean {
    return !this.#replaces;
  }

  /** For every worker that starts from now on. */
  change(settings: Record<string, string>): void {
    this.#settings = { ...this.#settings, ...settings };
    this.#replaces ||= this.#settings["SLUICE_ON_REPLACE"] === "replace";
  }

  /** How much was asked of whom so far, by all workers that live. */
  asked(): Asked {
    const all = [...this.workers.values()].reduce((sum, { process }) => sum + process.calls, 0);
    const { commands } = this.redis;
    return { store: this.#requests, redis: commands, disk: all - commands - this.#requests };
  }

  say(line: string): void {
    this.log.push(`${this.timeline.nowMs.toFixed(3)} ${line}`);
  }

  startWorker(name: string, settings: Record<string, string> = {}): RunningWorker {
    const pid = (this.#pids += 1);
    const process = new SimulatedProcess({
      name,
      pid,
      timeline: this.timeline,
      random: this.random.fork(`process ${pid}`),
    });
    this.#living.set(pid, process);
    process.onDeath = () => this.say(`${name} is dead after ${process.calls} calls`);
    const env = {
      SLUICE_REDIS_URL: "redis://simulated:6379",
      SLUICE_SOURCE: "box",
      SLUICE_WORKER_ID: name,
      SLUICE_WATCH: `${ROOT},${OTHER_ROOT}`,
      SLUICE_S3_BUCKET: BUCKET,
      SLUICE_UPLOAD_CONCURRENCY: "2",
      ...this.#settings,
      ...settings,
    };
    const config = configOf(env, this.#options.cut ?? CUT);
    const running = startWorker(process, config, {
      redis: this.redis,
      store: (owner) => storeOf(this.store, owner, this.timeline),
      writers: this.#writers,
      log: (_, level, text) => {
        this.say(`${name} ${level}: ${text}`);
        if (level === "fatal" || text.includes("InvariantError"))
          this.faults.push(`${name} ${level}: ${text}`);
      },
    });
    running.started.catch((error: unknown) => this.faults.push(`${name} could not start: ${String(error)}`));
    this.workers.set(name, running);
    this.say(`${name} starts`);
    return running;
  }

  readonly #writers: WriterProbe = {
    openForWriting: async (path) => {
      if (!this.writersSeen) return { kind: "unknown", detail: "other processes cannot be seen" };
      const node = this.disk.has(path) ? this.disk.at(path) : undefined;
      const [pid] = node?.writers ?? [];
      return pid === undefined ? { kind: "closed" } : { kind: "open", pid, command: "writer" };
    },
  };

  #watchDisk({ lost, doubled, slowestMs }: NonNullable<WorldOptions["events"]>): void {
    const random = this.random.fork("events");
    this.disk.onEvent = (path) => {
      for (const running of this.workers.values()) {
        if (running.process.dead) continue;
        const times = random.chance(lost) ? 0 : random.chance(doubled) ? 2 : 1;
        for (let n = 0; n < times; n += 1)
          this.timeline.after(random.next() * slowestMs, running.process, () => running.hints.add(path));
      }
    };
  }
}
