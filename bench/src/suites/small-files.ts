/** Many small files at once: files a second, requests a file, Redis commands a file, and the same from rclone. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { keysWith } from "@sluice/redis-schema";
import { runMeasured } from "../rig/child.ts";
import { cpuOf } from "../discard/cpu-marks.ts";
import { startEndpoint } from "../rig/endpoint.ts";
import { rcloneCopy } from "../peers/rclone.ts";
import { startSluice, until } from "../rig/sluice.ts";

export interface SmallFiles {
  files: number;
  files_per_second: number;
  cpu_seconds: number;
  requests_per_file: number;
  redis_calls_per_file: number;
}

const FILE_BYTES = 16 * 1024;

/** A directory of files, made outside and moved into the watch whole. */
export async function sluiceSmallFiles(directory: string, files: number): Promise<SmallFiles> {
  // Quiet is hardly waited for, as rclone does not wait for it: the work is measured, not the file's own time.
  await using sluice = await startSluice({ directory, env: { SLUICE_IDLE_TIMEOUT: "100ms" } });
  const worker = sluice.launch();
  await worker.ready();
  await sluice.endpoint.watch(worker.pid);
  await sluice.redis.config("RESETSTAT");
  const staged = makeFiles(directory, files);
  const before = cpuOf(worker.pid);
  const startedAt = performance.now();
  renameSync(staged, join(sluice.root, "batch"));
  await until(
    "every file is completed",
    async () => (await sluice.redis.hlen(keysWith("").filesDone)) === files,
    {
      withinMs: 300_000,
      everyMs: 20,
    },
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  const cpu_seconds = cpuOf(worker.pid) - before;
  const calls = await commandCalls(sluice.redis);
  const { requests } = await sluice.endpoint.seen();
  const total = Object.values(requests).reduce((sum, count) => sum + count, 0);
  return {
    files,
    files_per_second: files / seconds,
    cpu_seconds,
    requests_per_file: total / files,
    redis_calls_per_file: calls / files,
  };
}

export async function rcloneSmallFiles(directory: string, files: number): Promise<SmallFiles> {
  const staged = makeFiles(directory, files);
  await using endpoint = await startEndpoint();
  await endpoint.watch(0);
  const run = await runMeasured(rcloneCopy(staged, endpoint.url));
  const { requests } = await endpoint.seen();
  rmSync(staged, { recursive: true });
  const total = Object.values(requests).reduce((sum, count) => sum + count, 0);
  return {
    files,
    files_per_second: files / run.wall_seconds,
    cpu_seconds: run.cpu_seconds,
    requests_per_file: total / files,
    redis_calls_per_file: 0,
  };
}

function makeFiles(directory: string, files: number): string {
  const staged = join(directory, `batch-${randomBytes(4).toString("hex")}`);
  mkdirSync(staged);
  const bytes = randomBytes(FILE_BYTES);
  for (let n = 0; n < files; n += 1) {
    bytes.writeUInt32LE(n);
    writeFileSync(join(staged, `file-${n}.bin`), bytes);
  }
  return staged;
}

/** Commands sent by clients; those made inside scripts are not round trips. */
async function commandCalls(redis: { info(section: string): Promise<string> }): Promise<number> {
  const stats = await redis.info("commandstats");
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}
