/** Many files written a little at a time: what the worker's processor does for bytes, and what for writes. */
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuSeconds, residentMib } from "../rig/child.ts";
import { watchLoop } from "../rig/loop-delay.ts";
import { startSluice } from "../rig/sluice.ts";

/** Of each file. */
export interface Writing {
  files: number;
  writesPerSecond: number;
  bytes: number;
}

export interface ManyWriters extends Writing {
  seconds: number;
  /** CPU of the worker alone, % of one core. */
  core_percent: number;
  /** Highest resident size sampled. */
  resident_mib: number;
  loop_delay_p99_ms: number;
}

/** The writer's turns: each takes its share of the files. */
const TURN_MS = 10;
/** Files are found and opened before anything is measured. */
const SETTLE_MS = 8_000;

export async function manyWriters(
  directory: string,
  writing: Writing,
  seconds: number,
): Promise<ManyWriters> {
  await using sluice = await startSluice({ directory });
  const worker = sluice.launch();
  await worker.ready();
  const open = (n: number): number => openSync(join(sluice.root, `file-${n}.bin`), "a");
  const files = Array.from({ length: writing.files }, (_, n) => open(n));
  try {
    await write(files, writing, SETTLE_MS);
    const loop = await watchLoop(worker);
    const before = cpuSeconds(worker.pid);
    const begunMs = performance.now();
    let resident = 0;
    await write(files, writing, seconds * 1_000, () => {
      resident = Math.max(resident, residentMib(worker.pid));
    });
    const took = (performance.now() - begunMs) / 1_000;
    const core_percent = ((cpuSeconds(worker.pid) - before) / took) * 100;
    const loop_delay_p99_ms = await loop.p99();
    return { ...writing, seconds, core_percent, resident_mib: resident, loop_delay_p99_ms };
  } finally {
    files.forEach((file) => closeSync(file));
    await worker.kill();
  }
}

/** Evenly over the time, at the given rate, however long an iteration takes. */
async function write(files: readonly number[], writing: Writing, ms: number, each = () => {}): Promise<void> {
  const step = Buffer.alloc(writing.bytes, 1);
  const begunMs = performance.now();
  let written = 0;
  let turn = 0;
  for (let spentMs = 0; spentMs < ms; spentMs = performance.now() - begunMs) {
    const due = Math.floor((spentMs / 1_000) * files.length * writing.writesPerSecond);
    for (; written < due; written += 1) writeSync(files[written % files.length] as number, step);
    turn += 1;
    if (turn % 100 === 0) each();
    await sleep(TURN_MS);
  }
}
