/**
 * Converts the result of a stat to FileFacts in one place, so that two checks of a file never differ by how they were made.
 *
 * Birth times on Linux come from statx: a file system that keeps none leaves the field 0, and 0 is unknown. Where statx
 * itself is missing (old kernels, strict seccomp profiles) libuv falls back to stat and fills the field with the ctime,
 * for every file. procfs keeps no birth times, so a birth time there is an invented one, and then none is believed.
 * A birth time that merely equals the ctime says nothing: a file written once and left alone has that.
 */
import { lstatSync, type BigIntStats } from "node:fs";
import type { FileFacts } from "@sluice/core";
import { LastingInodes } from "./lasting-inodes.ts";
import { readProc } from "./read-proc.ts";

const lasting = new LastingInodes();

export function factsOf(
  stats: BigIntStats,
  birthTimesAreReal = birthTimesAreKept(),
  inodes: Pick<LastingInodes, "lastOn"> = lasting,
): FileFacts {
  const proves = birthTimesAreReal && stats.birthtimeNs !== 0n && inodes.lastOn(stats.dev);
  const boot = bootId();
  return {
    size: Number(stats.size),
    inode: String(stats.ino),
    device: String(stats.dev),
    ...(boot === "" ? {} : { boot }),
    mtimeNs: String(stats.mtimeNs),
    ctimeNs: String(stats.ctimeNs),
    ...(proves ? { birthtimeNs: String(stats.birthtimeNs) } : {}),
  };
}

let boot: string | undefined;

/** "" if the system does not report it: a device number is then never compared with another. */
function bootId(): string {
  boot ??= readProc("/proc/sys/kernel/random/boot_id").trim();
  return boot;
}

let kept: boolean | undefined;

/** Whether this process sees birth times at all. The system is asked once. */
export function birthTimesAreKept(): boolean {
  kept ??= !inventsBirthTimes("/proc/self/stat");
  return kept;
}

/** `path`: a file on a file system that stores no birth times. A system without procfs has no such fallback either. */
export function inventsBirthTimes(path: string): boolean {
  return (lstatSync(path, { bigint: true, throwIfNoEntry: false })?.birthtimeNs ?? 0n) !== 0n;
}

/** What a directory entry is, in words, if it is not a regular file. */
export function kindOfEntry(stats: EntryKind): string | undefined {
  if (stats.isFile()) return undefined;
  if (stats.isDirectory()) return "a directory";
  if (stats.isSymbolicLink()) return "a symbolic link";
  if (stats.isFIFO()) return "a FIFO";
  if (stats.isSocket()) return "a socket";
  if (stats.isCharacterDevice() || stats.isBlockDevice()) return "a device";
  return "not a regular file";
}

export type EntryKind = Pick<
  BigIntStats,
  "isFile" | "isDirectory" | "isSymbolicLink" | "isFIFO" | "isSocket" | "isCharacterDevice" | "isBlockDevice"
>;
