/**
 * Whether this worker can see which files other processes hold open: not across PID namespaces, and not across users
 * without the right to trace them. The result is stated wherever "no process is seen writing" matters.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { systemError } from "../system-error.ts";
import { processIds } from "./proc-fds.ts";

export interface Visibility {
  seen: "all" | "some" | "none";
  /** A whole sentence. */
  detail: string;
}

export interface VisibilityFacts {
  /** All visible processes, with their parents; a parent outside the namespace is 0. */
  processes: ReadonlyMap<number, { parent: number }>;
  ownPid: number;
  /** The first PID namespace of the system, which contains every process. */
  initialNamespace: boolean;
  /** Visible processes whose files cannot be seen, without kernel threads and processes that have ended. */
  closed: number;
  /** /proc hides processes of other users altogether. */
  hidden: boolean;
}

const SHARE =
  'share the namespace (Kubernetes: shareProcessNamespace: true; compose: pid: "service:<the writer>")';
/** The capability SYS_PTRACE helps only a worker that runs as root: other users of a container get no capabilities. */
const ALLOW =
  "run the worker as the writer's user (compose: RECORDER_UID and RECORDER_GID; Kubernetes: runAsUser)";

export function judgeVisibility(facts: VisibilityFacts): Visibility {
  if (facts.processes.size === 0) {
    return {
      seen: "none",
      detail: "This system has no /proc: open files cannot be seen.",
    };
  }
  if (!facts.initialNamespace && !seesStrangers(facts)) {
    return {
      seen: "none",
      detail: `This worker is alone in its PID namespace: processes of other containers that still write a file cannot be seen; ${SHARE}.`,
    };
  }
  if (facts.hidden) {
    return {
      seen: "some",
      detail: `/proc is mounted with hidepid: files of other users' processes cannot be seen; ${ALLOW}.`,
    };
  }
  if (facts.closed > 0) {
    const whose = facts.closed === 1 ? "1 process" : `${facts.closed} processes`;
    return { seen: "some", detail: `Open files of ${whose} of other users cannot be seen; ${ALLOW}.` };
  }
  return { seen: "all", detail: "Open files of all processes can be seen." };
}

/** Whether any process is neither this one, nor one of its ancestors, nor one of its descendants. */
function seesStrangers({ processes, ownPid }: VisibilityFacts): boolean {
  const above = new Set(lineage(ownPid, processes));
  return [...processes.keys()].some((pid) => !above.has(pid) && !lineage(pid, processes).includes(ownPid));
}

/** The process and its ancestors. */
function lineage(pid: number, processes: VisibilityFacts["processes"]): number[] {
  const line: number[] = [];
  for (let at = pid; processes.has(at) && !line.includes(at); at = processes.get(at)?.parent ?? 0)
    line.push(at);
  return line;
}

/** The first namespace of every Linux system has a fixed number: PROC_PID_INIT_INO. */
const INITIAL_NAMESPACE = "pid:[4026531836]";
const HIDEPID = /\bhidepid=(?:1|2|4|noaccess|invisible|ptraceable)\b/;

/** `closed`: pids whose files could not be inspected. */
export function visibilityFacts(closed: readonly number[], proc = "/proc"): VisibilityFacts {
  const parents = processIds(proc).flatMap((pid): [number, { parent: number }][] => {
    const parent = parentOf(proc, pid);
    return parent === undefined ? [] : [[pid, { parent }]];
  });
  const initialNamespace = text(() => readlinkSync(`${proc}/self/ns/pid`)) === INITIAL_NAMESPACE;
  return {
    processes: new Map(parents),
    ownPid: process.pid,
    initialNamespace,
    // Kernel threads and ended processes have no command line and no files. The system's init writes no recordings.
    closed: closed.filter(
      (pid) =>
        !(pid === 1 && initialNamespace) &&
        text(() => readFileSync(`${proc}/${pid}/cmdline`, "latin1")) !== "",
    ).length,
    hidden: process.getuid?.() !== 0 && hidesProcesses(proc),
  };
}

function hidesProcesses(proc: string): boolean {
  const mounts = text(() => readFileSync(`${proc}/self/mountinfo`, "latin1")).split("\n");
  return mounts.some((line) => line.includes(` ${proc} `) && HIDEPID.test(line));
}

/** Field 4 of /proc/<pid>/stat; the command before it, in parentheses, may contain anything. */
function parentOf(proc: string, pid: number): number | undefined {
  const stat = text(() => readFileSync(`${proc}/${pid}/stat`, "latin1"));
  const parent = /^ \S+ (\d+)/.exec(stat.slice(stat.lastIndexOf(")") + 1))?.[1];
  return parent === undefined ? undefined : Number(parent);
}

/** Empty if it cannot be read. */
function text(read: () => string): string {
  try {
    return read();
  } catch (error) {
    systemError(error);
    return "";
  }
}
