/** An endpoint in a directory of its own, gone with the test that started it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type AccessEntry, type LocalS3, type LocalS3Options, startLocalS3 } from "../src/index.ts";
import { S3Client } from "./s3-client.ts";

export const credentials = { accessKeyId: "rig", secretAccessKey: "rig-secret" };
export const BUCKET = "rig";

export interface Rig {
  readonly server: LocalS3;
  readonly s3: S3Client;
  /** Every request so far, in the order the replies left. */
  readonly log: readonly AccessEntry[];
  readonly dir: string;
}

export async function makeDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "local-s3-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

export const clientOf = (endpoint: string): S3Client =>
  new S3Client({ endpoint, region: "us-east-1", bucket: BUCKET, ...credentials });

export async function startRig(options: Partial<LocalS3Options> = {}): Promise<Rig> {
  const dir = options.dir ?? (await makeDir());
  const log: AccessEntry[] = [];
  const server = await startLocalS3({
    dir,
    credentials,
    buckets: [BUCKET],
    onRequest: (entry) => log.push(entry),
    ...options,
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return { server, s3: clientOf(server.url), log, dir };
}
