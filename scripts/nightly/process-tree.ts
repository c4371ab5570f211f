/**
 * A process with all its descendants, including those that lead their own process group, which a signal to one group
 * does not reach.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { identityOf, stillLives, type ProcessIdentity } from "../lib/process-identity.mjs";

interface Row {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
}

/**
 * The processes of `group` and all they started that live now. What was started by a process that has ended since, in a
 * group of its own, is found only when it is in `known`.
 */
export function processTree(group: number, known: readonly ProcessIdentity[] = []): ProcessIdentity[] {
  const rows = processes();
  const tree = new Set(known.filter(stillLives).map(({ pid }) => pid));
  for (const row of rows) if (row.group === group) tree.add(row.pid);
  // A child may be listed before its parent, so repeat until no more are found.
  for (let size = -1; size < tree.size;) {
    size = tree.size;
    for (const row of rows) if (tree.has(row.parent)) tree.add(row.pid);
  }
  return [...tree].map(identityOf).filter((each) => each !== undefined);
}

export function anyLives(tree: readonly ProcessIdentity[]): boolean {
  return tree.some(stillLives);
}

/** A later process with the pid of one that has ended is left alone. */
export function killAll(tree: readonly ProcessIdentity[]): void {
  for (const each of tree) if (stillLives(each)) signal(each.pid, "SIGKILL");
}

/** A group has the negative id of its leader. A group that has ended needs no signal. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function processes(): Row[] {
  if (process.platform === "linux") {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return pids.flatMap((pid) => fromProc(Number(pid)));
  }
  const table = execFileSync("ps", ["-A", "-o", "pid=,ppid=,pgid="], { encoding: "utf8" });
  return table
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([pid = 0, parent = 0, group = 0]) => ({ pid, parent, group }));
}

function fromProc(pid: number): Row[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The second field, the name in parentheses, may itself hold spaces and parentheses.
    const [, parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return [{ pid, parent: Number(parent), group: Number(group) }];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return [];
    throw error;
  }
}
