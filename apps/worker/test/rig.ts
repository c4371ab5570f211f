/**
 * The real thing in small: a Redis that keeps what it acknowledged, an S3 endpoint that logs every request, and worker
 * processes that can be killed. Each rig has its own ports and directories, and nothing of it outlives the test file.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startLocalS3, type AccessEntry, type LocalS3, type Quirks } from "@sluice/local-s3";
import { afterAll } from "vitest";
import { startRedis, type TestRedis } from "../../../packages/redis-schema/test/redis-server.ts";
import { Bucket } from "./rig/bucket.ts";
import { Records, type StreamSeen } from "./rig/records.ts";
import { NotMet, until, type Deadline } from "./rig/until.ts";
import { WorkerProcess } from "./rig/worker-process.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

export type { StreamSeen } from "./rig/records.ts";
export type { WorkerProcess } from "./rig/worker-process.ts";

export const MIB = 1024 * 1024;
/** The smallest part S3 allows keeps the files of tests small. */
export const PART = 5 * MIB;
export const SOURCE = "rig";
export const BUCKET = "recordings";
export const CREDENTIALS = { accessKeyId: "rig-access-key", secretAccessKey: "rig-canary-secret" };

export interface RigOptions {
  /** For every worker of the rig, over the rig's own. */
  env?: Readonly<Record<string, string>>;
  /** Directories below the rig's that are watched; the first is `root`. Default: one. */
  watches?: readonly string[];
  /** May be changed while the rig runs. */
  quirks?: Quirks;
  /** Buckets beside the rig's own. */
  buckets?: readonly string[];
  /** Headers by which the store names itself. */
  named?: Readonly<Record<string, string>>;
}

export interface Rig extends AsyncDisposable {
  readonly directory: string;
  /** The first watch. */
  readonly root: string;
  readonly redis: TestRedis;
  readonly s3: LocalS3;
  /** Every request the endpoint has answered or lost, in that order. */
  readonly requests: readonly AccessEntry[];
  readonly bucket: Bucket;
  /** Another one at the same endpoint. */
  otherBucket(name: string): Bucket;
  readonly records: Records;
  readonly workers: readonly WorkerProcess[];
  /** The environment a worker is given. */
  env(more?: Readonly<Record<string, string>>): Record<string, string>;
  /** Starts one more worker; returns at once. */
  launch(more?: Readonly<Record<string, string>>, program?: string): WorkerProcess;
  /** As `launch`, and waits until it is at work. */
  start(more?: Readonly<Record<string, string>>): Promise<WorkerProcess>;
  /** As `until`, with what the workers said in the error. */
  until<T>(
    what: string,
    probe: () => T | undefined | false | Promise<T | undefined | false>,
    deadline?: Deadline,
  ): Promise<T>;
  /** The completed stream of this path. `not`: an earlier generation, which is waited past. */
  completed(path: string, options?: Deadline & { not?: string | undefined }): Promise<StreamSeen>;
  /** The live stream of this path once it is as asked. */
  live(path: string, is: (stream: StreamSeen) => boolean, deadline?: Deadline): Promise<StreamSeen>;
}

const open = new Set<Rig>();

// A test that runs out of time never gets to dispose of its rig: whatever is left goes with the test file.
afterAll(async () => {
  await Promise.all([...open].map((rig) => rig[Symbol.asyncDispose]()));
});

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const directory = temporaryDirectory();
  const roots = (options.watches ?? ["watch"]).map((name) => directory.at(name));
  for (const root of roots) mkdirSync(root, { recursive: true });
  const root = roots[0] ?? directory.path;
  const requests: AccessEntry[] = [];
  const redis = await startRedis({ appendonly: true });
  const s3 = await startLocalS3({
    dir: directory.at("s3"),
    credentials: CREDENTIALS,
    buckets: [BUCKET, ...(options.buckets ?? [])],
    fsync: false,
    onRequest: (entry) => requests.push(entry),
    ...(options.quirks === undefined ? {} : { quirks: options.quirks }),
    ...(options.named === undefined ? {} : { named: options.named }),
  });
  const records = new Records(redis.port, SOURCE);
  const workers: WorkerProcess[] = [];

  const env = (more: Readonly<Record<string, string>> = {}): Record<string, string> => {
    const asked = { ...options.env, ...more };
    return {
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      SLUICE_REDIS_URL: redis.url,
      SLUICE_S3_ENDPOINT: s3.url,
      SLUICE_S3_BUCKET: BUCKET,
      SLUICE_S3_REGION: "us-east-1",
      SLUICE_WATCH: roots.join(","),
      SLUICE_SOURCE: SOURCE,
      SLUICE_WORKER_ID: "rig-worker",
      SLUICE_PART_SIZE: "5MiB",
      SLUICE_IDLE_TIMEOUT: "1s",
      // A test that pauses, or a machine that is busy, would otherwise wait three times its pauses.
      SLUICE_IDLE_MAX: asked["SLUICE_IDLE_TIMEOUT"] ?? "1s",
      SLUICE_RESCAN_INTERVAL: "1s",
      SLUICE_HTTP_PORT: "0",
      SLUICE_LOG_FORMAT: "json",
      // How full the machine's own disk is must not matter.
      SLUICE_FREE_SPACE_WARNING: "off",
      ...asked,
    };
  };
  const launch: Rig["launch"] = (more, program) => {
    const worker = new WorkerProcess({ env: env(more), cwd: directory.path, program });
    workers.push(worker);
    return worker;
  };
  const rigUntil: Rig["until"] = async (what, probe, deadline) => {
    try {
      return await until(what, probe, deadline);
    } catch (error) {
      if (error instanceof NotMet) error.message += `\n${workers.map((worker) => worker.tail()).join("\n")}`;
      throw error;
    }
  };

  const rig: Rig = {
    directory: directory.path,
    root,
    redis,
    s3,
    requests,
    bucket: new Bucket({ endpoint: s3.url, bucket: BUCKET, ...CREDENTIALS }),
    otherBucket: (name) => new Bucket({ endpoint: s3.url, bucket: name, ...CREDENTIALS }),
    records,
    workers,
    env,
    launch,
    async start(more) {
      const worker = launch(more);
      await worker.ready();
      return worker;
    },
    until: rigUntil,
    completed: (path, { not, ...deadline } = {}) =>
      rigUntil(
        `${path} is completed`,
        async () => {
          const entry = await records.done(path);
          if (!entry || entry["stream_id"] === not) return undefined;
          return await records.stream(entry["stream_id"] ?? "");
        },
        deadline,
      ),
    live: (path, is, deadline) =>
      rigUntil(
        `the stream of ${path} is as asked`,
        async () => {
          const stream = await records.live(path);
          return stream && is(stream) && stream;
        },
        deadline,
      ),
    async [Symbol.asyncDispose]() {
      if (!open.delete(rig)) return;
      await Promise.all(workers.map((worker) => worker.kill()));
      records[Symbol.dispose]();
      await Promise.all([s3[Symbol.asyncDispose](), redis.stop()]);
      directory[Symbol.dispose]();
    },
  };
  open.add(rig);
  return rig;
}

/** A file written whole, at once. Returns its path. */
export function writeWhole(rig: Rig, name: string, bytes: Buffer | string): string {
  const path = join(rig.root, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}
