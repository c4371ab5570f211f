/** Children outlive a killed supervisor; from their records the next start finds and ends them first. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { identityOf, stillLives, type ProcessIdentity } from "../lib/process-identity.mjs";

const SUFFIX = ".child.json";
const LOOK_AGAIN_MS = 50;

/** A program that writes to another one is stopped before it. */
const STOP_ORDER: readonly string[] = ["demo", "web", "worker", "s3", "redis"];

export interface Survivor {
  readonly name: string;
  readonly process: ProcessIdentity;
}

export function recordChild(runDir: string, name: string, pid: number): void {
  mkdirSync(runDir, { recursive: true });
  const identity = identityOf(pid);
  if (identity) writeFileSync(join(runDir, name + SUFFIX), JSON.stringify(identity));
}

export function forgetChild(runDir: string, name: string): void {
  rmSync(join(runDir, name + SUFFIX), { force: true });
}

/** Children of an earlier start that are still alive, in stop order; records of dead ones are removed. */
export function survivors(runDir: string): Survivor[] {
  mkdirSync(runDir, { recursive: true });
  const found: Survivor[] = [];
  for (const file of readdirSync(runDir).filter((entry) => entry.endsWith(SUFFIX))) {
    const name = file.slice(0, -SUFFIX.length);
    const recorded = parse(readFileSync(join(runDir, file), "utf8"));
    if (recorded && stillLives(recorded)) found.push({ name, process: recorded });
    else forgetChild(runDir, name);
  }
  return found.sort((a, b) => STOP_ORDER.indexOf(a.name) - STOP_ORDER.indexOf(b.name));
}

/** A power failure may leave a record empty; then no process of that boot exists either. */
function parse(text: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(text) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

/** Ends `survivor` gracefully within `patienceMs`, otherwise kills its whole group. */
export async function endSurvivor(runDir: string, survivor: Survivor, patienceMs: number): Promise<void> {
  const { process: recorded, name } = survivor;
  signal(recorded.pid, "SIGTERM");
  const deadline = performance.now() + patienceMs;
  while (stillLives(recorded)) {
    if (performance.now() > deadline) signal(-recorded.pid, "SIGKILL");
    await delay(LOOK_AGAIN_MS);
  }
  forgetChild(runDir, name);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
