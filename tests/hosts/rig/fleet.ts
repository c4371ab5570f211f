/** Workers on one volume and one bucket, whatever their Redis is; records are read by the names of the wire contract. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startLocalS3, type AccessEntry } from "@sluice/local-s3";
import type { Cluster, Redis } from "ioredis";
import { Bucket } from "../../../apps/worker/test/rig/bucket.ts";
import { GrowingFile } from "../../../apps/worker/test/rig/growing-file.ts";
import { NotMet, until, type Deadline } from "../../../apps/worker/test/rig/until.ts";
import { WorkerProcess } from "../../../apps/worker/test/rig/worker-process.ts";
import { temporaryDirectory } from "../../../apps/worker/test/temporary-directory.ts";

export const SOURCE = "volume";
/** The smallest part S3 allows keeps the files small. */
export const PART = 5 * 1024 ** 2;
const BUCKET = "recordings";
const CREDENTIALS = { accessKeyId: "fleet-access-key", secretAccessKey: "fleet-secret" };

export type Hash = Readonly<Record<string, string>>;

export interface FleetOptions {
  redisUrl: string;
  prefix: string;
  /** For reading what workers write. It ends with the fleet. */
  reader: Redis | Cluster;
}

export interface Fleet extends AsyncDisposable {
  readonly directory: string;
  readonly bucket: Bucket;
  readonly requests: readonly AccessEntry[];
  readonly s3Port: number;
  env(more?: Hash): Record<string, string>;
  launch(id: string, more?: Hash, through?: readonly string[]): WorkerProcess;
  start(id: string, more?: Hash, through?: readonly string[]): Promise<WorkerProcess>;
  /** A file of the volume, held open as a recorder does. */
  file(name: string): Promise<GrowingFile>;
  /** The recorder closes its file and says so by a marker. */
  finish(file: GrowingFile): Promise<void>;
  live(name: string, is: (stream: Hash) => boolean, deadline?: Deadline): Promise<Hash>;
  completed(name: string, deadline?: Deadline): Promise<Hash>;
  /** The object's bytes against the file's. */
  isIdentical(name: string): Promise<boolean>;
  /** Numbers of the parts that S3 took, in order, once for each time. */
  partsSent(key: string): number[];
  until<T>(what: string, probe: () => Promise<T | undefined | false>, deadline?: Deadline): Promise<T>;
}

export async function startFleet({ redisUrl, prefix, reader }: FleetOptions): Promise<Fleet> {
  const directory = temporaryDirectory();
  const root = directory.at("volume");
  mkdirSync(root);
  const requests: AccessEntry[] = [];
  const s3 = await startLocalS3({
    dir: directory.at("s3"),
    credentials: CREDENTIALS,
    buckets: [BUCKET],
    fsync: false,
    onRequest: (entry) => requests.push(entry),
  });
  const bucket = new Bucket({ endpoint: s3.url, bucket: BUCKET, ...CREDENTIALS });
  const workers: WorkerProcess[] = [];
  const at = (name: string) => join(root, name);
  const record = (id: string): Promise<Hash> => reader.hgetall(`${prefix}stream:${id}:meta`);

  const fleet: Fleet = {
    directory: directory.path,
    bucket,
    requests,
    s3Port: Number(new URL(s3.url).port),
    env: (more = {}) => ({
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      SLUICE_REDIS_URL: redisUrl,
      SLUICE_KEY_PREFIX: prefix,
      SLUICE_S3_ENDPOINT: s3.url,
      SLUICE_S3_BUCKET: BUCKET,
      SLUICE_S3_REGION: "us-east-1",
      SLUICE_WATCH: root,
      SLUICE_SOURCE: SOURCE,
      SLUICE_PART_SIZE: "5MiB",
      SLUICE_IDLE_TIMEOUT: "60s",
      SLUICE_RESCAN_INTERVAL: "1s",
      SLUICE_HTTP_PORT: "0",
      SLUICE_LOG_FORMAT: "json",
      ...more,
    }),
    launch(id, more = {}, through) {
      const env = fleet.env({ SLUICE_WORKER_ID: id, ...more });
      const worker = new WorkerProcess({ env, cwd: directory.path, through });
      workers.push(worker);
      return worker;
    },
    async start(...how) {
      const worker = fleet.launch(...how);
      await worker.ready();
      return worker;
    },
    file: (name) => GrowingFile.open(at(name)),
    async finish(file) {
      await file[Symbol.asyncDispose]();
      writeFileSync(`${file.path}.done`, "");
    },
    live: (name, is, deadline) =>
      fleet.until(
        `the stream of ${name} is as asked`,
        async () => {
          const id = await reader.hget(`${prefix}streams:by_path`, `${SOURCE}:${at(name)}`);
          const stream = id === null ? {} : { ...(await record(id)), id };
          return Object.keys(stream).length > 1 && is(stream) && stream;
        },
        deadline,
      ),
    completed: (name, deadline) =>
      fleet.until(
        `${name} is completed`,
        async () => {
          const entry = await reader.hget(`${prefix}files:done`, `${SOURCE}:${at(name)}`);
          if (entry === null) return undefined;
          const id = (JSON.parse(entry) as { stream_id: string }).stream_id;
          return { ...(await record(id)), id };
        },
        deadline,
      ),
    async isIdentical(name) {
      const local = readFileSync(at(name));
      const pieces: Buffer[] = [];
      for await (const piece of bucket.read(name, local.length)) pieces.push(piece);
      return local.equals(Buffer.concat(pieces));
    },
    partsSent: (key) =>
      requests
        .filter((entry) => entry.operation === "UploadPart" && entry.key === key && entry.status === 200)
        .map(({ partNumber }) => partNumber ?? 0)
        .sort((a, b) => a - b),
    async until(what, probe, deadline) {
      // A Redis that is failing over answers a little later.
      const patient = () => probe().catch(() => undefined);
      try {
        return await until(what, patient, deadline);
      } catch (error) {
        if (error instanceof NotMet)
          error.message += `\n${workers.map((worker) => worker.tail()).join("\n")}`;
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.map((worker) => worker.kill()));
      reader.disconnect();
      await s3[Symbol.asyncDispose]();
      directory[Symbol.dispose]();
    },
  };
  return fleet;
}
