/**
 * Which files the processes of this system hold open or mapped for writing, from /proc. Works in slices of a few
 * milliseconds, and asks no file system except /proc itself, so another program's hung network mount cannot block it.
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { systemError } from "../system-error.ts";
import { isMappingOf, sharedWritable } from "./proc-maps.ts";

export interface Writer {
  pid: number;
  /** The descriptor; absent for a shared writable mapping. */
  fd?: string;
}

export interface OpenFiles {
  /** By inode number. Several file systems may use the same number, so `holds` checks each one. */
  writers: ReadonlyMap<string, readonly Writer[]>;
  /** Pids of processes whose files could not be inspected. */
  closed: readonly number[];
}

/** Event loop time used in one slice. */
const SLICE_MS = 4;
/** Descriptors inspected between two checks of the clock. */
const BETWEEN_LOOKS = 32;
/** Write permission of a descriptor's link in /proc/<pid>/fd: the file was opened O_WRONLY or O_RDWR. */
const WRITABLE = 0o200;

export async function scanOpenFiles(proc = "/proc"): Promise<OpenFiles> {
  const writers = new Map<string, Writer[]>();
  const closed: number[] = [];
  let looked = 0;
  let sliceEnds = performance.now() + SLICE_MS;
  const breathe = async (): Promise<void> => {
    if (performance.now() <= sliceEnds) return;
    await nextTurn();
    sliceEnds = performance.now() + SLICE_MS;
  };
  const add = (inode: string, writer: Writer): void => {
    writers.set(inode, [...(writers.get(inode) ?? []), writer]);
  };
  for (const pid of processIds(proc)) {
    const fds = attempt(() => readdirSync(`${proc}/${pid}/fd`));
    // Read after the descriptors: a process that maps a file and then closes it is found in one of the two lists.
    const mapped = attempt(() => new Set(mappings(proc, pid).map(({ inode }) => inode)));
    let refused = fds.kind === "refused" || mapped.kind === "refused";
    if (mapped.kind === "value") for (const inode of mapped.value) add(inode, { pid });
    await breathe();
    for (const fd of fds.kind === "value" ? fds.value : []) {
      const inode = writtenInode(proc, pid, fd);
      // Root may list the descriptors of a process that it may not trace, but cannot inspect them.
      if (inode.kind === "refused") refused = true;
      if (inode.kind === "value" && inode.value !== undefined) add(inode.value, { pid, fd });
      looked += 1;
      if (looked % BETWEEN_LOOKS === 0) await breathe();
    }
    if (refused) closed.push(pid);
  }
  return { writers, closed };
}

/** Ascending; empty on systems without /proc. */
export function processIds(proc = "/proc"): number[] {
  const names = attempt(() => readdirSync(proc));
  if (names.kind !== "value") return [];
  return names.value.filter((name) => /^\d+$/.test(name)).map(Number);
}

/**
 * Whether the process still holds this very file open for writing under this descriptor, or mapped. `name`: of the
 * file, without its directory, byte by byte.
 */
export function holds(
  writer: Writer,
  file: { inode: string; device: string },
  name: string,
  proc = "/proc",
): boolean {
  if (writer.fd === undefined) {
    const mapped = attempt(() => mappings(proc, writer.pid).some((one) => isMappingOf(one, file, name)));
    return mapped.kind === "value" && mapped.value;
  }
  const link = `${proc}/${writer.pid}/fd/${writer.fd}`;
  const held = attempt(() => (isWritable(link) ? statSync(link, { bigint: true }) : undefined));
  return (
    held.kind === "value" && String(held.value?.ino) === file.inode && String(held.value?.dev) === file.device
  );
}

/** The name of a process, as `ps` shows it. */
export function commandOf(pid: number, proc = "/proc"): string {
  const comm = attempt(() => readFileSync(`${proc}/${pid}/comm`, "utf8").trimEnd());
  return comm.kind === "value" ? comm.value : "a process that has ended";
}

/** Inode of the file that a descriptor can write to; undefined for read-only descriptors and for sockets and pipes. */
function writtenInode(proc: string, pid: number, fd: string): Attempt<string | undefined> {
  const link = `${proc}/${pid}/fd/${fd}`;
  return attempt(() => {
    if (!isWritable(link) || !readlinkSync(link).startsWith("/")) return undefined;
    const info = readFileSync(`${proc}/${pid}/fdinfo/${fd}`, "latin1");
    // Linux before 5.14 does not report the inode here.
    return /^ino:\s*(\d+)$/m.exec(info)?.[1] ?? String(statSync(link, { bigint: true }).ino);
  });
}

function mappings(proc: string, pid: number) {
  return sharedWritable(readFileSync(`${proc}/${pid}/maps`, "latin1"));
}

function isWritable(link: string): boolean {
  return ((lstatSync(link, { throwIfNoEntry: false })?.mode ?? 0) & WRITABLE) !== 0;
}

type Attempt<T> = { kind: "value"; value: T } | { kind: "refused" } | { kind: "gone" };

/** Processes end and close files during the scan; what no longer exists is not an error. */
function attempt<T>(look: () => T): Attempt<T> {
  try {
    return { kind: "value", value: look() };
  } catch (error) {
    const { code } = systemError(error);
    return { kind: code === "EACCES" || code === "EPERM" ? "refused" : "gone" };
  }
}
