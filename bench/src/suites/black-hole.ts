/**
 * A store that takes connections and bytes and answers nothing, while thousands of files grow: the worker waits in
 * bounded memory and descriptors, and resumes when answers come again.
 */
import { appendFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { residentMib } from "../rig/child.ts";
import { startSluice, until } from "../rig/sluice.ts";

export interface BlackHole {
  files: number;
  seconds: number;
  /** Resident size at the end of the black hole less that at its half, MiB. */
  grown_mib: number;
  /** The same of open descriptors. */
  grown_descriptors: number;
  /** From the end of the black hole until every part that was full is in the store. */
  recovered_seconds: number;
}

const STEP = Buffer.alloc(1024, 1);
/** Of every file this many have a part that is full. */
const FULL_OF = 20;

export async function blackHole(directory: string, files: number, seconds: number): Promise<BlackHole> {
  await using sluice = await startSluice({ directory });
  const { endpoint, root } = sluice;
  const worker = sluice.launch();
  await worker.ready();
  const full = Buffer.alloc(9 * 1024 * 1024, 2);
  for (let n = 0; n < files; n += 1) appendFileSync(join(root, `file-${n}.bin`), STEP);
  await endpoint.watch(worker.pid);
  endpoint.freeze();
  for (let n = 0; n < files; n += FULL_OF) appendFileSync(join(root, `file-${n}.bin`), full);
  const frozenAt = Date.now();
  const held = () => ({ mib: residentMib(worker.pid), open: readdirSync(`/proc/${worker.pid}/fd`).length });
  let early: ReturnType<typeof held> | undefined;
  while (Date.now() < frozenAt + seconds * 1_000) {
    for (let n = 0; n < files; n += 1) appendFileSync(join(root, `file-${n}.bin`), STEP);
    await sleep(1_000);
    if (Date.now() > frozenAt + seconds * 500) early ??= held();
  }
  const late = held();
  const before = early ?? late;
  endpoint.thaw();
  const thawedAt = Date.now();
  const fullParts = Math.ceil(files / FULL_OF);
  await until(
    "every full part is in the store",
    async () => ((await endpoint.seen()).requests["UploadPart"] ?? 0) >= fullParts,
    { withinMs: 120_000, everyMs: 100 },
  );
  const recovered_seconds = (Date.now() - thawedAt) / 1_000;
  await worker.kill();
  return {
    files,
    seconds,
    grown_mib: late.mib - before.mib,
    grown_descriptors: late.open - before.open,
    recovered_seconds,
  };
}
