/** Thousands of files growing at once: the worker's memory and how long its event loop was held up. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { peakMib, residentMib } from "../rig/child.ts";
import { startSluice } from "../rig/sluice.ts";

export interface Growing {
  files: number;
  seconds: number;
  /** Highest resident size sampled while the files grew. */
  resident_mib: number;
  /** VmHWM of the process, start-up included. */
  peak_mib: number;
  /** Of the whole run. */
  loop_delay_p99_ms: number;
}

const STEP = Buffer.alloc(64 * 1024, 1);

/** Each file gets 64 KiB in turn, over and over, for so many seconds. */
export async function growing(directory: string, files: number, seconds: number): Promise<Growing> {
  await using sluice = await startSluice({ directory });
  const worker = sluice.launch();
  const health = await worker.said("health and metrics");
  await worker.ready();
  const endsAt = Date.now() + seconds * 1_000;
  let resident = 0;
  // Each reading tells the time since the one before it.
  await loopDelayP99(String(health["address"]));
  while (Date.now() < endsAt) {
    for (let n = 0; n < files; n += 1) {
      appendFileSync(join(sluice.root, `file-${n}.bin`), STEP);
      // The writer leaves room for others, as recorders do.
      if (n % 50 === 49) await sleep(5);
    }
    resident = Math.max(resident, residentMib(worker.pid));
  }
  const loop_delay_p99_ms = await loopDelayP99(String(health["address"]));
  const figures = { resident_mib: resident, peak_mib: peakMib(worker.pid) };
  await worker.kill();
  return { files, seconds, ...figures, loop_delay_p99_ms };
}

async function loopDelayP99(address: string): Promise<number> {
  const text = await (await fetch(`${address}/metrics`)).text();
  const found = /^sluice_nodejs_eventloop_lag_p99_seconds(?:\{[^}]*\})? (\S+)$/m.exec(text)?.[1];
  if (found === undefined) throw new Error("the metrics tell no event loop delay");
  return Number(found) * 1_000;
}
