/** Where files are really uploaded: an S3 endpoint, a watched directory and worker processes that can be killed. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLocalS3, type AccessEntry, type LocalS3 } from "@sluice/local-s3";
import { S3Client, tag, tags } from "../../../packages/local-s3/test/s3-client.ts";
import { Bucket } from "../../../apps/worker/test/rig/bucket.ts";
import { WorkerProcess } from "../../../apps/worker/test/rig/worker-process.ts";

const BUCKET = "recordings";
export const CREDENTIALS = { accessKeyId: "browser-tests", secretAccessKey: "browser-tests-secret" };
export const PART = 5 * 1024 * 1024;

export interface Stack {
  /** The watched directory. */
  readonly inbox: string;
  /** The bucket as another program sees it. */
  readonly bucket: Bucket;
  /** What the endpoint does wrong on purpose. */
  readonly faults: LocalS3["faults"];
  /** How far the store's clock is ahead; what it gets while it is behind seems old afterwards. */
  aheadMs: number;
  /** Every request the endpoint has answered. */
  readonly requests: readonly AccessEntry[];
  /** ListParts: ETags without quotes, by number. */
  listParts(key: string, uploadId: string): Promise<Map<number, string>>;
  /** CreateMultipartUpload by another program. */
  createUpload(key: string): Promise<string>;
  /** Starts a worker and waits until it is at work. */
  start(more?: Readonly<Record<string, string>>): Promise<WorkerProcess>;
  stop(): Promise<void>;
}

export async function startStack(redisUrl: string): Promise<Stack> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-browser-"));
  const inbox = join(directory, "inbox");
  await mkdir(inbox);
  const requests: AccessEntry[] = [];
  const clock = { aheadMs: 0 };
  const s3: LocalS3 = await startLocalS3({
    now: () => Date.now() + clock.aheadMs,
    dir: join(directory, "s3"),
    credentials: CREDENTIALS,
    buckets: [BUCKET],
    fsync: false,
    onRequest: (entry) => requests.push(entry),
  });
  const client = new S3Client({ endpoint: s3.url, bucket: BUCKET, ...CREDENTIALS, region: "us-east-1" });
  const workers: WorkerProcess[] = [];
  return {
    inbox,
    faults: s3.faults,
    get aheadMs() {
      return clock.aheadMs;
    },
    set aheadMs(ms) {
      clock.aheadMs = ms;
    },
    requests,
    bucket: new Bucket({ endpoint: s3.url, bucket: BUCKET, ...CREDENTIALS }),
    async listParts(key, uploadId) {
      const { text } = await client.call({ method: "GET", key, query: { uploadId } });
      const etags = tags(text, "ETag").map((etag) => etag.replaceAll(/&quot;|"/g, ""));
      return new Map(tags(text, "PartNumber").map((number, at) => [Number(number), etags[at] ?? ""]));
    },
    async createUpload(key) {
      const { text } = await client.call({ method: "POST", key, query: { uploads: "" } });
      return tag(text, "UploadId") ?? "";
    },
    async start(more = {}) {
      const env = {
        AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
        SLUICE_REDIS_URL: redisUrl,
        SLUICE_S3_ENDPOINT: s3.url,
        SLUICE_S3_BUCKET: BUCKET,
        SLUICE_S3_REGION: "us-east-1",
        SLUICE_WATCH: inbox,
        SLUICE_SOURCE: "browser-tests",
        SLUICE_WORKER_ID: "browser-worker",
        SLUICE_PART_SIZE: "5MiB",
        SLUICE_IDLE_TIMEOUT: "60s",
        SLUICE_RESCAN_INTERVAL: "1s",
        SLUICE_HTTP_PORT: "0",
        // How full the machine's own disk is must not matter.
        SLUICE_FREE_SPACE_WARNING: "off",
        ...more,
      };
      const worker = new WorkerProcess({ env, cwd: directory });
      workers.push(worker);
      await worker.ready();
      return worker;
    },
    async stop() {
      await Promise.all(workers.map((worker) => worker.kill()));
      await s3[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
