/**
 * CPU of the process under test at the moments only the endpoint sees: the first part arriving, the last one
 * acknowledged. Read from /proc by the endpoint, so that the process under test measures nothing itself.
 */
import { readFileSync } from "node:fs";

export interface Mark {
  /** Unix time, ms. */
  at: number;
  /** CPU seconds of the watched process so far, all its threads. */
  cpu: number;
}

/** The kernel's unit of utime and stime in /proc/<pid>/stat. */
const TICKS_PER_SECOND = 100;

/** CPU seconds (user + system) of a live process, without its children. */
export function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export class CpuMarks {
  readonly marks: Record<string, Mark> = {};
  pid: number | undefined;

  /** Remembers the first time, and never again. */
  first(name: string): void {
    if (this.marks[name] === undefined) this.last(name);
  }

  /** Remembers the latest time. */
  last(name: string): void {
    this.marks[name] = { at: Date.now(), cpu: this.pid === undefined ? 0 : cpuOf(this.pid) };
  }
}
