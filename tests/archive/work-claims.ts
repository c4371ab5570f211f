/** The installed worker at work, with a real Redis and a real S3 endpoint outside the root. */
import { deepStrictEqual as same, match } from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLocalS3 } from "@sluice/local-s3";
import { startRedis } from "@sluice/redis-schema/testing";
import { Bucket } from "../../apps/worker/test/rig/bucket.ts";
import { until } from "../../apps/worker/test/rig/until.ts";
import type { Claims } from "../compose/claims.ts";
import { mustRun } from "../compose/run-program.ts";
import type { CleanRoot } from "./clean-root.ts";

const MIB = 1024 * 1024;
const CREDENTIALS = { accessKeyId: "archive-key", secretAccessKey: "archive-secret" };
const BUCKET = "recordings";
const WATCH = "/var/recordings";

export async function workClaims(claims: Claims, root: CleanRoot): Promise<void> {
  await using redis = await startRedis({ appendonly: true });
  const directory = mkdtempSync(join(tmpdir(), "sluice-archive-s3-"));
  await using s3 = await startLocalS3({
    dir: directory,
    credentials: CREDENTIALS,
    buckets: [BUCKET],
    fsync: false,
  });
  const bucket = new Bucket({ endpoint: s3.url, bucket: BUCKET, ...CREDENTIALS });
  try {
    mkdirSync(root.outside(WATCH), { recursive: true });
    await root.mustRun(["chown", "sluice:sluice", WATCH]);
    root.write(
      "/etc/sluice/sluice.yaml",
      [
        `redis_url: ${redis.url}`,
        "source: studio-a",
        `watches: [{ path: ${WATCH} }]`,
        `s3_bucket: ${BUCKET}`,
        `s3_endpoint: ${s3.url}`,
        "s3_region: us-east-1",
        "part_size: 5MiB",
        "http_port: 0",
        "",
      ].join("\n"),
    );
    const env = {
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    };
    const worker = root.start(["sluice", "worker"], { user: "sluice", env });
    const bytes = randomBytes(12 * MIB);
    const file = root.outside(`${WATCH}/cam1.mkv`);
    await claims.holds(
      "the worker uploads a file of that user as it grows, by the settings in /etc/sluice",
      async () => {
        writeFileSync(file, bytes.subarray(0, 6 * MIB));
        await mustRun(["chown", "--reference", root.outside(WATCH), file]);
        await until("its first part is in the store", async () => {
          const list = await root.run(["sluice", "ls", "--json"]);
          return list.code === 0 && /"bytes_sent": ?5242880/.test(list.out);
        });
        appendFileSync(file, bytes.subarray(6 * MIB));
        writeFileSync(`${file}.done`, "");
        await until("the object is there", async () => (await bucket.head("cam1.mkv")).status === 200);
        same(bytes.equals(await bucket.bytes("cam1.mkv")), true);
      },
    );
    await claims.holds("`sluice doctor` finds the settings and the worker", async () => {
      const { all } = await root.run(["sluice", "doctor"], { env });
      match(all, /worker/);
    });
    await claims.holds("SIGTERM, as systemd sends it, ends the worker with 0", async () => {
      same(await worker.stop(), 0, worker.said);
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}
