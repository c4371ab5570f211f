/** The installed services at work under systemd, with a real Redis and a real S3 endpoint outside the machine. */
import { deepStrictEqual as same, match, notEqual } from "node:assert/strict";
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
import { freePort } from "../../packages/redis-schema/test/free-port.ts";
import { type CleanRoot, Machine } from "./clean-root.ts";
import { commandsUnder } from "./guide.ts";

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
    const webPort = await freePort();
    const settings = [
      `redis_url: ${redis.url}`,
      "source: studio-a",
      `watches: [{ path: ${WATCH} }]`,
      `s3_bucket: ${BUCKET}`,
      `s3_endpoint: ${s3.url}`,
      "s3_region: us-east-1",
      "part_size: 5MiB",
      "http_port: 0",
      "",
    ].join("\n");
    root.write("/etc/sluice/sluice.yaml", settings);
    root.write(
      "/etc/sluice/worker.env",
      `AWS_ACCESS_KEY_ID=${CREDENTIALS.accessKeyId}\nAWS_SECRET_ACCESS_KEY=${CREDENTIALS.secretAccessKey}\n`,
    );
    root.write("/etc/sluice/dashboard.env", `SLUICE_WEB_PORT=${webPort}\n`);
    await using machine = await Machine.boot(root);
    const bytes = randomBytes(12 * MIB);
    const file = root.outside(`${WATCH}/cam1.mkv`);
    const sent = async (text: RegExp): Promise<boolean> =>
      text.test((await machine.run(["sluice", "ls", "--json"])).out);
    const mainPid = async (service: string): Promise<string> =>
      (await machine.mustRun(["systemctl", "show", "--value", "--property=MainPID", service])).trim();
    await claims.must(
      "worker and dashboard start by systemd, with everything their units forbid",
      async () => {
        await machine.mustRun(["systemctl", "enable", "--now", "sluice-worker", "sluice-dashboard"]);
        await until("the dashboard answers", async () => {
          const reply = await fetch(`http://127.0.0.1:${webPort}/login`).catch(() => undefined);
          return reply?.status === 200;
        }).catch(async (cause: unknown) => {
          const said = await machine.run(["journalctl", "--no-pager", "-u", "sluice-dashboard"]);
          throw new Error(said.all, { cause });
        });
      },
    );
    await claims.holds("the worker uploads a file of its user as it grows", async () => {
      writeFileSync(file, bytes.subarray(0, 6 * MIB));
      await mustRun(["chown", "--reference", root.outside(WATCH), file]);
      await until("its first part is in the store", () => sent(/"bytes_sent": ?5242880/)).catch(
        async (cause: unknown) => {
          const said = await machine.run(["journalctl", "--no-pager", "-u", "sluice-worker"]);
          throw new Error(said.all, { cause });
        },
      );
    });
    await claims.holds("killed by kill -9 it is started again, resumes, and completes the file", async () => {
      const before = await mainPid("sluice-worker");
      await machine.mustRun(["systemctl", "kill", "--signal=SIGKILL", "sluice-worker"]);
      appendFileSync(file, bytes.subarray(6 * MIB));
      writeFileSync(`${file}.done`, "");
      await until("the object is there", async () => (await bucket.head("cam1.mkv")).status === 200);
      same(bytes.equals(await bucket.bytes("cam1.mkv")), true);
      notEqual(await mainPid("sluice-worker"), before);
    });
    await claims.holds("`sluice doctor` with the worker's environment finds nothing wrong", async () => {
      const { code, all } = await machine.run(["sh", "-ec", commandsUnder("Configure", /sluice doctor/)]);
      same(code, 0, all);
    });
    await claims.holds("both services end by `systemctl stop` without failure", async () => {
      const services = ["sluice-worker", "sluice-dashboard"];
      await machine.mustRun(["systemctl", "stop", ...services]);
      for (const service of services)
        same(
          await machine.mustRun(["systemctl", "show", "--value", "--property=Result", service]),
          "success\n",
        );
    });
    await claims.holds(
      "settings that cannot be right end the service for good, and its status says why",
      async () => {
        root.write("/etc/sluice/sluice.yaml", `${settings}part_size: 1MiB\n`);
        await machine.run(["systemctl", "restart", "sluice-worker"]);
        await until(
          "it has failed",
          async () => (await machine.run(["systemctl", "is-failed", "sluice-worker"])).code === 0,
        );
        match((await machine.run(["systemctl", "status", "--no-pager", "sluice-worker"])).all, /part_size/);
        root.write("/etc/sluice/sluice.yaml", settings);
      },
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}
