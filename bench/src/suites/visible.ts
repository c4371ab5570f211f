/** A recording that grows at 50 MiB/s and then is marked complete: how soon after its last byte the object exists. */
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startSluice, until } from "../rig/sluice.ts";

export interface Visible {
  bytes: number;
  /** From the marker to the finished object, the verify read included. */
  seconds: number;
}

const STEP = Buffer.alloc(5 * 1024 * 1024, 7);
const STEP_MS = 100;

export async function lastByteToVisible(directory: string, bytes: number): Promise<Visible> {
  await using sluice = await startSluice({ directory });
  const worker = sluice.launch();
  await worker.ready();
  await sluice.endpoint.watch(worker.pid);
  const path = join(sluice.root, "recording.ts");
  const startedAt = performance.now();
  let written = 0;
  while (written < bytes) {
    const step = STEP.subarray(0, Math.min(STEP.length, bytes - written));
    appendFileSync(path, step);
    written += step.length;
    const aheadMs = startedAt + (written / STEP.length) * STEP_MS - performance.now();
    if (aheadMs > 0) await sleep(aheadMs);
  }
  writeFileSync(`${path}.done`, "");
  const lastByteAt = Date.now();
  const seen = await until(
    "the object exists",
    async () => (await sluice.endpoint.seen()).marks.last_object,
    { withinMs: 180_000, everyMs: 20 },
  );
  return { bytes, seconds: (seen.at - lastByteAt) / 1_000 };
}
