/** One complete file: its upload, the verify read and the whole job, each with its own CPU. */
import { linkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keysWith } from "@sluice/redis-schema";
import type { Certificate } from "../rig/certificate.ts";
import { peakMib } from "../rig/child.ts";
import { cpuOf } from "../discard/cpu-marks.ts";
import { watchLoop } from "../rig/loop-delay.ts";
import { startSluice, until, SOURCE } from "../rig/sluice.ts";

export interface OneFile {
  /** From the first part arriving at the endpoint to the last one acknowledged. */
  upload_cpu_seconds: number;
  upload_wall_seconds: number;
  /** From the last part to the finished object: the verify read, Complete and HeadObject. */
  seal_cpu_seconds: number;
  seal_wall_seconds: number;
  /** From the file there to `completed`. */
  job_cpu_seconds: number;
  job_wall_seconds: number;
  peak_mib: number;
  /** From the file there to `completed`. */
  loop_delay_p99_ms: number;
  redis_cpu_seconds: number;
  endpoint_cpu_seconds: number;
  requests: Record<string, number>;
}

export interface OneFileOptions {
  directory: string;
  /** The file, on the same file system as `directory`. */
  input: string;
  certificate?: Certificate | undefined;
  signedOnly?: boolean | undefined;
  env?: Readonly<Record<string, string>>;
}

/** A worker at rest is given the file by a hard link, with a marker to say that it is complete. */
export async function uploadOneFile(options: OneFileOptions): Promise<OneFile> {
  await using sluice = await startSluice(options);
  const { endpoint, redis, root } = sluice;
  const worker = sluice.launch();
  await worker.ready();
  const redisPid = Number(/process_id:(\d+)/.exec(await redis.info("server"))?.[1]);
  await endpoint.watch(worker.pid);
  const loop = await watchLoop(worker);
  const redisBefore = cpuOf(redisPid);
  const begun = { cpu: cpuOf(worker.pid), at: Date.now() };
  linkSync(options.input, join(root, "recording.bin"));
  writeFileSync(join(root, "recording.bin.done"), "");
  const field = `${SOURCE}:${join(root, "recording.bin")}`;
  await until("the file is completed", () => redis.hexists(keysWith("").filesDone, field).then(Boolean), {
    withinMs: 180_000,
    everyMs: 20,
  });
  const ended = { cpu: cpuOf(worker.pid), at: Date.now() };
  const loop_delay_p99_ms = await loop.p99();
  const { requests, marks, endpoint_cpu_seconds } = await endpoint.seen();
  const { first_part: first, last_part: last, last_object: object } = marks;
  if (!first || !last || !object) throw new Error(`nothing was uploaded\n${worker.tail()}`);
  return {
    upload_cpu_seconds: last.cpu - first.cpu,
    upload_wall_seconds: (last.at - first.at) / 1_000,
    seal_cpu_seconds: object.cpu - last.cpu,
    seal_wall_seconds: (object.at - last.at) / 1_000,
    job_cpu_seconds: ended.cpu - begun.cpu,
    job_wall_seconds: (ended.at - begun.at) / 1_000,
    peak_mib: peakMib(worker.pid),
    loop_delay_p99_ms,
    redis_cpu_seconds: cpuOf(redisPid) - redisBefore,
    endpoint_cpu_seconds,
    requests,
  };
}
