/** Sluice's worker as users run it, with its own Redis, against the discarding endpoint. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { WorkerProcess } from "../../../apps/worker/test/rig/worker-process.ts";
import { startRedis, type TestRedis } from "../../../packages/redis-schema/test/redis-server.ts";
import { CREDENTIALS } from "./credentials.ts";
import { startEndpoint, type Endpoint } from "./endpoint.ts";
import type { Certificate } from "./certificate.ts";

export { until } from "../../../apps/worker/test/rig/until.ts";

export interface SluiceOptions {
  directory: string;
  certificate?: Certificate | undefined;
  signedOnly?: boolean | undefined;
  env?: Readonly<Record<string, string>>;
}

export interface Sluice extends AsyncDisposable {
  /** The watched directory. */
  readonly root: string;
  readonly server: TestRedis;
  readonly redis: Redis;
  readonly endpoint: Endpoint;
  /** Starts a worker; returns at once. */
  launch(env?: Readonly<Record<string, string>>): WorkerProcess;
}

export const SOURCE = "bench";

export async function startSluice(options: SluiceOptions): Promise<Sluice> {
  const directory = mkdtempSync(join(options.directory, "sluice-"));
  const root = join(directory, "watch");
  mkdirSync(root, { recursive: true });
  const server = await startRedis({ appendonly: true });
  const redis = new Redis({ port: server.port });
  const endpoint = await startEndpoint(options);
  const workers: WorkerProcess[] = [];
  return {
    root,
    server,
    redis,
    endpoint,
    launch(more = {}) {
      const env = { ...workerEnv(endpoint.url, server.url, root, options), ...options.env, ...more };
      const worker = new WorkerProcess({ env, cwd: directory });
      workers.push(worker);
      return worker;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.map((worker) => worker.terminate()));
      redis.disconnect();
      await Promise.all([server.stop(), endpoint[Symbol.asyncDispose]()]);
      rmSync(directory, { recursive: true });
    },
  };
}

function workerEnv(
  endpoint: string,
  redis: string,
  root: string,
  { certificate }: SluiceOptions,
): Record<string, string> {
  return {
    ...CREDENTIALS,
    ...(certificate === undefined ? {} : { NODE_EXTRA_CA_CERTS: certificate.cert }),
    SLUICE_REDIS_URL: redis,
    SLUICE_S3_ENDPOINT: endpoint,
    SLUICE_S3_BUCKET: "bench",
    SLUICE_S3_REGION: "us-east-1",
    SLUICE_WATCH: root,
    SLUICE_SOURCE: SOURCE,
    SLUICE_WORKER_ID: "bench-worker",
    SLUICE_HTTP_PORT: "0",
    SLUICE_LOG_FORMAT: "json",
  };
}
