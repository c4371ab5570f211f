/** How other processes on the same host identify this one: boot id, PID namespace, pid and start time are unique. */
import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

export interface ProcessIdentity {
  nonce: string;
  boot_id: string;
  pid_namespace: string;
  host: string;
  pid: number;
  /** Clock ticks since boot, as in /proc/<pid>/stat. */
  process_started: string;
}

export function ownIdentity(): ProcessIdentity {
  return {
    nonce: randomUUID(),
    boot_id: readText("/proc/sys/kernel/random/boot_id"),
    pid_namespace: pidNamespace(),
    host: hostname(),
    pid: process.pid,
    process_started: startTime(process.pid) ?? "",
  };
}

/**
 * Whether another worker's process is known to be gone: it ran on this host (same boot, same PID namespace), and its
 * pid is free or belongs to a later process. False if that cannot be known.
 */
export function isKnownDead(other: Omit<ProcessIdentity, "nonce">, own: ProcessIdentity): boolean {
  if (own.boot_id === "" || own.pid_namespace === "") return false;
  if (other.boot_id !== own.boot_id || other.pid_namespace !== own.pid_namespace) return false;
  return startTime(other.pid) !== other.process_started;
}

/** Field 22 of /proc/<pid>/stat; undefined if the process does not exist. */
function startTime(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  // The command, in parentheses, may contain spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const isZombie = fields[0] === "Z";
  return stat === "" || isZombie ? undefined : fields[19];
}

function pidNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return ""; // not Linux, or /proc is not mounted: other processes cannot be checked
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "latin1").trim();
  } catch {
    return ""; // absent: the process is gone, or /proc is not mounted
  }
}
