/**
 * One world for one round: a real Redis with its append-only file, a bucket of its own in a real S3 endpoint, the proxy
 * before it, and real worker processes. Own ports, own directory; nothing outlives it.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Records } from "../../../apps/worker/test/rig/records.ts";
import { NotMet, until, type Deadline } from "../../../apps/worker/test/rig/until.ts";
import { WorkerProcess } from "../../../apps/worker/test/rig/worker-process.ts";
import { startRedis, type TestRedis } from "../../../packages/redis-schema/test/redis-server.ts";
import { audit, type Audit, type Case } from "../auditor/audit.ts";
import type { Target } from "../auditor/bucket.ts";
import { COMPILED } from "./compiled.ts";
import { Proxy } from "./proxy.ts";
import type { Place } from "./stores/store.ts";

export const MIB = 1024 * 1024;
export const PART = 5 * MIB;
/** Nothing is judged by its speed here: a machine busy with other work starts a worker in half a minute. */
const PATIENCE_MS = 240_000;
const SOURCE = "chaos";

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
  /** Of these, with a request about a file on its way. */
  killsInRequests = 0;
  readonly #place: Place;
  readonly #env: Readonly<Record<string, string>>;
  /** A run that is ended early takes its processes along; what else they left lies in the temporary directory. */
  readonly #endWithUs = (): void => {
    for (const worker of this.workers) if (worker.running) worker.signal("SIGKILL");
  };

  private constructor(parts: {
    redis: TestRedis;
    place: Place;
    proxy: Proxy;
    proxyUrl: string;
    env: Readonly<Record<string, string>>;
  }) {
    this.redis = parts.redis;
    this.#place = parts.place;
    this.proxy = parts.proxy;
    this.target = parts.place.target;
    this.records = new Records(parts.redis.port, SOURCE);
    mkdirSync(this.root);
    process.once("exit", this.#endWithUs);
    this.#env = {
      ...COMPILED,
      AWS_ACCESS_KEY_ID: this.target.accessKeyId,
      AWS_SECRET_ACCESS_KEY: this.target.secretAccessKey,
      SLUICE_REDIS_URL: parts.redis.url,
      SLUICE_S3_ENDPOINT: parts.proxyUrl,
      SLUICE_S3_BUCKET: this.target.bucket,
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

  /** `place`: where its objects go; it is given up with the world. */
  static async create(opening: Promise<Place>, env: Readonly<Record<string, string>> = {}): Promise<World> {
    const [redis, place] = await Promise.all([startRedis({ appendonly: true }), opening]);
    const proxy = new Proxy(place.target.endpoint);
    const proxyUrl = await proxy.start();
    return new World({ redis, place, proxy, proxyUrl, env });
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
    if (worker.running && this.proxy.underWay > 0) this.killsInRequests += 1;
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

  /**
   * No stream is on its way any more, and these paths are completed. Patience begins anew with every file that completes:
   * how long all of them take says something about the machine only.
   */
  async settled(paths: readonly string[]): Promise<void> {
    for (let left = await this.#unsettled(paths); left > 0;) {
      const before = left;
      left = await this.until(
        `one more file is completed, of ${left} to go`,
        async () => {
          const now = await this.#unsettled(paths);
          return (now === 0 || now < before) && { now };
        },
        { everyMs: 100 },
      ).then(({ now }) => now);
    }
  }

  /** Paths that are not completed, and one more while any stream is on its way. */
  async #unsettled(paths: readonly string[]): Promise<number> {
    const { redis } = this.records;
    const [active, pending, done] = await Promise.all([
      redis.zcard("streams:active"),
      redis.zcard("streams:pending_completion"),
      redis.hkeys("files:done"),
    ]);
    const known = new Set(done);
    const missing = paths.filter((path) => !known.has(`${SOURCE}:${path}`)).length;
    return missing + Math.min(1, active + pending);
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
    await this.redis.stop();
    await this.#place[Symbol.asyncDispose]();
    rmSync(this.directory, { recursive: true, force: true });
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
