/**
 * What a stat says becomes FileFacts in one place, so that two looks at one file never differ by how it was looked at.
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

/** "" where the system does not say: then a device number is compared with no other. */
function bootId(): string {
  boot ??= readProc("/proc/sys/kernel/random/boot_id").trim();
  return boot;
}

let kept: boolean | undefined;

/** Whether this process sees birth times at all; asked of the system once. */
export function birthTimesAreKept(): boolean {
  kept ??= !inventsBirthTimes("/proc/self/stat");
  return kept;
}

/** `path`: a file on a file system that keeps no birth times. A system without it has no such fallback either. */
export function inventsBirthTimes(path: string): boolean {
  return (lstatSync(path, { bigint: true, throwIfNoEntry: false })?.birthtimeNs ?? 0n) !== 0n;
}

/** What a directory entry is, in words, when it is not a regular file. */
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
