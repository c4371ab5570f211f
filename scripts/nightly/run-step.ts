/** Runs one step of the nightly run, and ends it with all its descendants when its time is over. */
import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { anyLives, killAll, processTree, signal } from "./process-tree.ts";

export interface RunOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** When it aborts, the step is ended. */
  readonly until: AbortSignal;
  /** How long the step may take to end after SIGTERM, in milliseconds. */
  readonly graceMs: number;
  print(text: string): void;
}

export interface StepRun {
  readonly output: string;
  /** It ended in time, and with exit code 0. */
  readonly isOk: boolean;
}

const LOOK_AGAIN_MS = 100;
/** A process that no longer belongs to the step can keep its output open forever. */
const CLOSE_WITHIN_MS = 2_000;

export async function runStep(
  command: string,
  argv: readonly string[],
  { cwd, env, until, graceMs, print }: RunOptions,
): Promise<StepRun> {
  // A group of its own: Ctrl-C in the terminal reaches only us, and ends the step through `until`.
  const child = spawn(command, argv, { cwd, env, stdio: ["ignore", "pipe", "inherit"], detached: true });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    print(text);
    output += text;
  });
  const closed = new Promise<{ code: number | null }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code }));
  });
  const overdue = new Promise<undefined>((resolve) => {
    if (until.aborted) resolve(undefined);
    else until.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  const inTime = await Promise.race([closed, overdue]);
  if (inTime) return { output, isOk: inTime.code === 0 };
  if (child.pid !== undefined) await endTree(child.pid, graceMs);
  await Promise.race([closed, delay(CLOSE_WITHIN_MS, undefined, { ref: false })]);
  child.stdout.destroy();
  child.unref();
  return { output, isOk: false };
}

/**
 * SIGTERM to the group, which the bootstrap passes on to the program it started in a group of its own, and SIGKILL to
 * each process that is left after the grace period: the bootstrap cannot pass that on.
 */
async function endTree(group: number, graceMs: number): Promise<void> {
  const tree = processTree(group);
  signal(-group, "SIGTERM");
  const deadline = performance.now() + graceMs;
  while (anyLives(tree) && performance.now() < deadline) await delay(LOOK_AGAIN_MS);
  killAll(processTree(group, tree));
}
