/** Thousands of files growing at once: the worker's memory and how long its event loop was held up. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { peakMib, residentMib } from "../rig/child.ts";
import { watchLoop } from "../rig/loop-delay.ts";
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
  await worker.ready();
  const endsAt = Date.now() + seconds * 1_000;
  let resident = 0;
  const loop = await watchLoop(worker);
  while (Date.now() < endsAt) {
    for (let n = 0; n < files; n += 1) {
      appendFileSync(join(sluice.root, `file-${n}.bin`), STEP);
      // The writer leaves CPU time for others, as recorders do.
      if (n % 50 === 49) await sleep(5);
    }
    resident = Math.max(resident, residentMib(worker.pid));
  }
  const loop_delay_p99_ms = await loop.p99();
  const figures = { resident_mib: resident, peak_mib: peakMib(worker.pid) };
  await worker.kill();
  return { files, seconds, ...figures, loop_delay_p99_ms };
}
