/** What a worker answers to whoever watches over it. */
import type { WorkerProcess } from "./worker-process.ts";

async function ask(worker: WorkerProcess, path: string): Promise<string> {
  return await (await answerOf(worker, path)).text();
}

async function answerOf(worker: WorkerProcess, path: string): Promise<Response> {
  const { address } = await worker.said("health and metrics");
  return await fetch(`${address as string}${path}`);
}

export async function statusOf(worker: WorkerProcess, path: "/readyz" | "/livez"): Promise<number> {
  return (await answerOf(worker, path)).status;
}

export async function readiness(worker: WorkerProcess): Promise<string> {
  return await ask(worker, "/readyz");
}

/** Bytes on disk that are not in S3, of all watches. */
export async function lagBytes(worker: WorkerProcess): Promise<number> {
  const samples = (await ask(worker, "/metrics")).matchAll(/^sluice_lag_bytes\{.*\} (\S+)$/gm);
  return [...samples].reduce((sum, [, value]) => sum + Number(value), 0);
}

/** Sum of the samples of a counter. */
export async function counted(worker: WorkerProcess, name: string): Promise<number> {
  const samples = (await ask(worker, "/metrics")).matchAll(new RegExp(`^${name}\\{.*\\} (\\S+)$`, "gm"));
  return [...samples].reduce((sum, [, value]) => sum + Number(value), 0);
}

/** The one sample of a gauge of one watch; undefined while there is none. */
export async function gaugeOfWatch(worker: WorkerProcess, name: string): Promise<number | undefined> {
  const [, value] = new RegExp(`^${name}\\{.*\\} (\\S+)$`, "m").exec(await ask(worker, "/metrics")) ?? [];
  return value === undefined ? undefined : Number(value);
}

/** Age of the oldest byte that is not in S3, of all watches. */
export async function oldestSeconds(worker: WorkerProcess): Promise<number> {
  const samples = (await ask(worker, "/metrics")).matchAll(/^sluice_lag_seconds\{.*\} (\S+)$/gm);
  return Math.max(0, ...[...samples].map(([, value]) => Number(value)));
}
