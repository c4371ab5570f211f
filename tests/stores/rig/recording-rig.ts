/** The whole job on a store: a Redis, a worker process that can be killed, a watch, and a witness of every request. */
import { randomBytes } from "node:crypto";
import { mkdirSync, openSync, closeSync, readFileSync, writeSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startRedis } from "../../../packages/redis-schema/test/redis-server.ts";
import { Bucket } from "../../../apps/worker/test/rig/bucket.ts";
import { Records, type StreamSeen } from "../../../apps/worker/test/rig/records.ts";
import { NotMet, until } from "../../../apps/worker/test/rig/until.ts";
import { WorkerProcess } from "../../../apps/worker/test/rig/worker-process.ts";
import { temporaryDirectory } from "../../../apps/worker/test/temporary-directory.ts";
import type { StoreServer } from "../servers/store-server.ts";
import { startWitness, type Witness } from "./witness.ts";

const SOURCE = "stores";
/** The smallest part S3 allows keeps the files small. */
export const PART = 5 * 1024 ** 2;

export interface RecordingRig extends AsyncDisposable {
  readonly witness: Witness;
  readonly bucket: Bucket;
  readonly records: Records;
  /** Absolute path of a file in the watch. */
  at(name: string): string;
  /** Waits until the worker is at work. The first one creates the bucket. */
  start(): Promise<WorkerProcess>;
  live(path: string, is: (stream: StreamSeen) => boolean): Promise<StreamSeen>;
  /** `not`: an earlier generation, which is waited past. */
  completed(path: string, not?: string): Promise<StreamSeen>;
  /** The object's bytes against the file's. */
  isIdentical(name: string): Promise<boolean>;
}

export async function startRecordingRig(server: StoreServer): Promise<RecordingRig> {
  const directory = temporaryDirectory();
  const root = directory.at("watch");
  mkdirSync(root);
  const redis = await startRedis({ appendonly: true });
  const witness = await startWitness(server);
  const { endpoint, region = "us-east-1", accessKeyId, secretAccessKey } = server;
  const name = `${server.bucketPrefix ?? ""}recordings`;
  const bucket = new Bucket({ endpoint, region, bucket: name, accessKeyId, secretAccessKey });
  const records = new Records(redis.port, SOURCE);
  const workers: WorkerProcess[] = [];
  const env = {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    SLUICE_REDIS_URL: redis.url,
    SLUICE_S3_ENDPOINT: witness.url,
    SLUICE_S3_BUCKET: name,
    SLUICE_S3_REGION: region,
    SLUICE_S3_CREATE_BUCKET: "true",
    SLUICE_WATCH: root,
    SLUICE_SOURCE: SOURCE,
    SLUICE_WORKER_ID: "stores-worker",
    SLUICE_PART_SIZE: "5MiB",
    SLUICE_IDLE_TIMEOUT: "2s",
    SLUICE_RESCAN_INTERVAL: "1s",
    SLUICE_HTTP_PORT: "0",
    SLUICE_LOG_FORMAT: "json",
  };
  const waitFor = async <T>(what: string, probe: () => Promise<T | undefined | false>): Promise<T> => {
    try {
      return await until(what, probe);
    } catch (error) {
      if (error instanceof NotMet) error.message += `\n${workers.map((worker) => worker.tail()).join("\n")}`;
      throw error;
    }
  };
  return {
    witness,
    bucket,
    records,
    at: (name) => join(root, name),
    async start() {
      const worker = new WorkerProcess({ env, cwd: directory.path });
      workers.push(worker);
      await worker.ready();
      return worker;
    },
    live: (path, is) =>
      waitFor(`the stream of ${path} is as asked`, async () => {
        const stream = await records.live(path);
        return stream && is(stream) && stream;
      }),
    completed: (path, not) =>
      waitFor(`${path} is completed`, async () => {
        const id = (await records.done(path))?.["stream_id"];
        return id !== undefined && id !== not && (await records.stream(id));
      }),
    async isIdentical(name) {
      const local = readFileSync(join(root, name));
      const pieces: Buffer[] = [];
      for await (const piece of bucket.read(name, local.length)) pieces.push(piece);
      const { headers } = await bucket.head(name);
      return Number(headers["content-length"]) === local.length && local.equals(Buffer.concat(pieces));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.map((worker) => worker.kill()));
      records[Symbol.dispose]();
      await Promise.all([witness[Symbol.asyncDispose](), redis.stop()]);
      directory[Symbol.dispose]();
    },
  };
}

export function writeWhole(path: string, bytes: number): void {
  writeFileSync(path, randomBytes(bytes));
}

/** As recorders do at close: the first bytes are written anew, the length stays. */
export function rewriteHeader(path: string): void {
  const file = openSync(path, "r+");
  writeSync(file, randomBytes(64), 0, 64, 0);
  closeSync(file);
}
