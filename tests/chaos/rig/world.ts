/**
 * One world for one round: a real Redis with its append-only file, the S3 endpoint as a process of its own, the proxy
 * before it, and real worker processes. Own ports, own directory; nothing outlives it.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Records } from "../../../apps/worker/test/rig/records.ts";
import { NotMet, until, type Deadline } from "../../../apps/worker/test/rig/until.ts";
import { WorkerProcess } from "../../../apps/worker/test/rig/worker-process.ts";
import { startRedis, type TestRedis } from "../../../packages/redis-schema/test/redis-server.ts";
import { audit, type Audit, type Case } from "../auditor/audit.ts";
import type { Target } from "../auditor/bucket.ts";
import { Proxy } from "./proxy.ts";

export const MIB = 1024 * 1024;
export const PART = 5 * MIB;
/** Nothing is judged by its speed here: a machine busy with other work starts a worker in half a minute. */
const PATIENCE_MS = 240_000;
const SOURCE = "chaos";
const BUCKET = "chaos";
const CREDENTIALS = { accessKeyId: "chaos-access-key", secretAccessKey: "chaos-secret-key" };
const LOCAL_S3 = fileURLToPath(new URL("../../../packages/local-s3/src/main.ts", import.meta.url));

export interface WorldOptions {
  env?: Readonly<Record<string, string>>;
  quirks?: readonly string[];
}

type Verdict = Omit<Case, "target" | "redisPort" | "source" | "requests">;

export class World implements AsyncDisposable {
  readonly directory = realpathSync(mkdtempSync(join(tmpdir(), "sluice-chaos-")));
  readonly root = join(this.directory, "watch");
  readonly workers: WorkerProcess[] = [];
  readonly redis: TestRedis;
  readonly proxy: Proxy;
  readonly target: Target;
  readonly records: Records;
  /** Workers that were ended by SIGKILL. */
  kills = 0;
  readonly #store: ChildProcess;
  readonly #env: Readonly<Record<string, string>>;
  /** A run that is ended early takes its processes along; what else they left lies in the temporary directory. */
  readonly #endWithUs = (): void => {
    for (const worker of this.workers) if (worker.running) worker.signal("SIGKILL");
    this.#store.kill("SIGKILL");
  };

  private constructor(parts: {
    redis: TestRedis;
    store: ChildProcess;
    storeUrl: string;
    proxy: Proxy;
    proxyUrl: string;
    env: Readonly<Record<string, string>>;
  }) {
    this.redis = parts.redis;
    this.#store = parts.store;
    this.proxy = parts.proxy;
    this.target = { endpoint: parts.storeUrl, bucket: BUCKET, ...CREDENTIALS };
    this.records = new Records(parts.redis.port, SOURCE);
    mkdirSync(this.root);
    process.once("exit", this.#endWithUs);
    this.#env = {
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      SLUICE_REDIS_URL: parts.redis.url,
      SLUICE_S3_ENDPOINT: parts.proxyUrl,
      SLUICE_S3_BUCKET: BUCKET,
      SLUICE_S3_REGION: "us-east-1",
      SLUICE_WATCH: this.root,
      SLUICE_SOURCE: SOURCE,
      SLUICE_WORKER_ID: "chaos-worker",
      SLUICE_PART_SIZE: "5MiB",
      SLUICE_IDLE_TIMEOUT: "500ms",
      SLUICE_RESCAN_INTERVAL: "1s",
      SLUICE_HTTP_PORT: "0",
      SLUICE_LOG_FORMAT: "json",
      ...parts.env,
    };
  }

  static async create({ env = {}, quirks = [] }: WorldOptions = {}): Promise<World> {
    const directory = mkdtempSync(join(tmpdir(), "sluice-chaos-s3-"));
    const [redis, { store, storeUrl }] = await Promise.all([
      startRedis({ appendonly: true, args: ["--appendfsync", "no"] }),
      startStore(directory, quirks),
    ]);
    const proxy = new Proxy(storeUrl);
    const proxyUrl = await proxy.start();
    return new World({ redis, store, storeUrl, proxy, proxyUrl, env });
  }

  path(name: string): string {
    return join(this.root, name);
  }

  /** Starts a worker; returns at once. */
  launch(more: Readonly<Record<string, string>> = {}): WorkerProcess {
    const worker = new WorkerProcess({ env: { ...this.#env, ...more }, cwd: this.directory });
    this.workers.push(worker);
    return worker;
  }

  /** As `launch`, and waits until it is at work. */
  async start(more?: Readonly<Record<string, string>>): Promise<WorkerProcess> {
    const worker = this.launch(more);
    await worker.said("interrupted streams resumed", { withinMs: PATIENCE_MS });
    return worker;
  }

  async kill(worker: WorkerProcess): Promise<void> {
    if (worker.running) this.kills += 1;
    await worker.kill();
  }

  /** As the tests' `until`, with what the workers said last in the error. */
  async until<T>(
    what: string,
    probe: () => T | undefined | false | Promise<T | undefined | false>,
    deadline: Deadline = {},
  ): Promise<T> {
    try {
      return await until(what, probe, { withinMs: PATIENCE_MS, ...deadline });
    } catch (error) {
      if (error instanceof NotMet) {
        error.message += `\n${this.workers
          .slice(-2)
          .map((worker) => worker.tail())
          .join("\n")}`;
      }
      throw error;
    }
  }

  /** No stream is on its way any more, and these paths are completed. */
  async settled(paths: readonly string[], deadline?: Deadline): Promise<void> {
    const { redis } = this.records;
    await this.until(
      `${paths.length} files are completed`,
      async () => {
        const [active, pending, done] = await Promise.all([
          redis.zcard("streams:active"),
          redis.zcard("streams:pending_completion"),
          redis.hkeys("files:done"),
        ]);
        if (active + pending > 0) return false;
        const known = new Set(done);
        return paths.every((path) => known.has(`${SOURCE}:${path}`));
      },
      { everyMs: 100, ...deadline },
    );
  }

  async audit(verdict: Verdict): Promise<Audit> {
    const judged = await audit({
      target: this.target,
      redisPort: this.redis.port,
      source: SOURCE,
      requests: this.proxy.passages,
      ...verdict,
    });
    judged.problems.push(...this.#logProblems());
    return judged;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.workers) if (worker.running) await worker.kill();
    process.off("exit", this.#endWithUs);
    this.records[Symbol.dispose]();
    await this.proxy[Symbol.asyncDispose]();
    const ended = once(this.#store, "exit");
    if (this.#store.kill("SIGKILL")) await ended;
    await this.redis.stop();
    rmSync(this.directory, { recursive: true, force: true });
    rmSync(this.#store.spawnargs[this.#store.spawnargs.indexOf("--dir") + 1] ?? "", {
      recursive: true,
      force: true,
    });
  }

  /** An error in a worker's log, or anything it wrote beside its log, is a bug. */
  #logProblems(): string[] {
    return this.workers.flatMap((worker) => [
      ...worker.lines
        .filter(({ level }) => level >= 50)
        .map((line) => `a worker says ${JSON.stringify(line)}`),
      ...worker.other.map((line) => `a worker wrote beside its log: ${line}`),
    ]);
  }
}

async function startStore(
  directory: string,
  quirks: readonly string[],
): Promise<{ store: ChildProcess; storeUrl: string }> {
  const store = spawn(
    process.execPath,
    [
      LOCAL_S3,
      "--no-fsync",
      ...Object.entries({ "--dir": directory, "--port": "0", "--bucket": BUCKET }).flat(),
      ...quirks.flatMap((quirk) => ["--quirk", quirk]),
    ],
    {
      env: {
        PATH: process.env["PATH"],
        LOCAL_S3_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
        LOCAL_S3_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  for await (const line of createInterface({ input: store.stdout })) {
    const url = /listening on (\S+)/.exec(line)?.[1];
    if (url !== undefined) return { store, storeUrl: url };
  }
  throw new Error("the S3 endpoint ended before it listened");
}
