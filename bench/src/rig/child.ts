/** Child processes measured from outside: CPU of the whole tree, wall time, the highest resident memory. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";

export interface Measured {
  cpu_seconds: number;
  wall_seconds: number;
  /** Sum over the tree of each process's highest resident size, MiB. */
  peak_mib: number;
  stdout: string;
}

const TICKS_PER_SECOND = 100;
const SAMPLE_MS = 100;

/**
 * Runs a command to its end. Its CPU is what the kernel adds to our own children's account when it is waited for, which
 * holds every descendant it waited for itself; so only one may run at a time. Rejects when it fails.
 */
export async function runMeasured(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Measured> {
  const [program = "", ...args] = command;
  const before = childrenCpu();
  const startedAt = performance.now();
  const child = spawn(program, args, {
    // Only the listed variables: proxies and certificates of the caller's environment must not affect the other
    // programs.
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  const peaks = new Map<number, number>();
  const sampler = setInterval(() => notePeaks(child.pid, peaks), SAMPLE_MS);
  const [stdout, stderr] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  const [code] = (await exited) as [number | null];
  clearInterval(sampler);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}: ${stderr.slice(-2_000)}`);
  return {
    cpu_seconds: childrenCpu() - before,
    wall_seconds: (performance.now() - startedAt) / 1_000,
    peak_mib: [...peaks.values()].reduce((sum, kib) => sum + kib, 0) / 1_024,
    stdout,
  };
}

/** The first line a child prints; it keeps running. */
export async function firstLine(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    const end = text.indexOf("\n");
    if (end >= 0) return text.slice(0, end);
  }
  throw new Error("the child ended without a word");
}

/** VmHWM, MiB: the highest resident size of one live process. */
export function peakMib(pid: number): number {
  return (statusKib(pid, "VmHWM") ?? 0) / 1_024;
}

export function residentMib(pid: number): number {
  return (statusKib(pid, "VmRSS") ?? 0) / 1_024;
}

/** CPU seconds of our children that have ended and been waited for, with theirs. */
function childrenCpu(): number {
  const stat = readFileSync("/proc/self/stat", "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}

function notePeaks(root: number | undefined, peaks: Map<number, number>): void {
  if (root === undefined) return;
  for (const pid of treeOf(root)) {
    const kib = statusKib(pid, "VmHWM");
    if (kib !== undefined) peaks.set(pid, Math.max(kib, peaks.get(pid) ?? 0));
  }
}

function treeOf(root: number): number[] {
  const pids = [root];
  for (const pid of pids) {
    try {
      for (const task of readdirSync(`/proc/${pid}/task`)) {
        const children = readFileSync(`/proc/${pid}/task/${task}/children`, "latin1").trim();
        if (children !== "") pids.push(...children.split(" ").map(Number));
      }
    } catch {
      // It ended between the listing and the check.
    }
  }
  return pids;
}

function statusKib(pid: number, field: string): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    const found = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1];
    return found === undefined ? undefined : Number(found);
  } catch {
    return undefined; // it ended
  }
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = "";
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
}

/** CPU seconds of one live process, user and system, all its threads. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The command's name, in brackets, may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
