/** The suite on local-s3, with fsync and over TLS-less HTTP; and on any other store that the environment names. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLocalS3 } from "../src/index.ts";
import { s3Suite } from "./s3-suite.ts";

const credentials = { accessKeyId: "suite", secretAccessKey: "suite-secret/+=" };

s3Suite("local-s3", async () => {
  const dir = await mkdtemp(join(tmpdir(), "local-s3-"));
  const server = await startLocalS3({ dir, credentials, buckets: ["suite"] });
  return {
    endpoint: server.url,
    region: "us-east-1",
    bucket: "suite",
    ...credentials,
    async close() {
      await server[Symbol.asyncDispose]();
      await rm(dir, { recursive: true });
    },
  };
});

const endpoint = process.env["S3_SUITE_ENDPOINT"];
if (endpoint !== undefined) {
  const need = (name: string): string => {
    const value = process.env[`S3_SUITE_${name}`];
    if (value === undefined) throw new Error(`S3_SUITE_ENDPOINT is set, S3_SUITE_${name} is not`);
    return value;
  };
  s3Suite(endpoint, () =>
    Promise.resolve({
      endpoint,
      region: process.env["S3_SUITE_REGION"] ?? "us-east-1",
      bucket: need("BUCKET"),
      accessKeyId: need("ACCESS_KEY_ID"),
      secretAccessKey: need("SECRET_ACCESS_KEY"),
    }),
  );
}
