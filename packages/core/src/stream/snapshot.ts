/**
 * Whether the local file is still the one whose bytes were verified. Checked several times before it is deleted or
 * moved.
 */
import { knownAs, sameFile, type FileFacts } from "./identity.ts";

export type Compared =
  | "same"
  /**
   * Only the ctime changed: a rename, a new name, other permissions, or other bytes with the old mtime. Or its inode
   * number, on a file system that gives new ones to the same file. Reading the file decides.
   */
  | "touched"
  | "changed";

/**
 * Nobody can set a ctime: a file with the inode, size, mtime and ctime of the verified one is that file, and unchanged.
 */
export function compareWithSnapshot(verified: FileFacts, seen: FileFacts): Compared {
  const known = knownAs(verified);
  if (sameFile(known, seen, { at: "its_path", completed: true }).kind === "other") return "changed";
  if (seen.size !== verified.size || seen.mtimeNs !== verified.mtimeNs) return "changed";
  return seen.inode === verified.inode && seen.ctimeNs === verified.ctimeNs ? "same" : "touched";
}

/** Longest step of the timestamps of a file system with whole seconds (FAT: two). */
const COARSE_MS = 2_000;
/**
 * The kernel stamps a change with the time of its last tick, so a change after the check may have the time of one
 * before.
 */
const TICK_MS = 20;

/**
 * For how long after it was first seen with these times a file may still change without a change of its times: a second
 * change within one step of the clock leaves no trace. A reader after that time notices every change by the times.
 */
export function timestampStepMs({ mtimeNs, ctimeNs }: Pick<FileFacts, "mtimeNs" | "ctimeNs">): number {
  const whole = [mtimeNs, ctimeNs].every((ns) => ns.endsWith("000000000"));
  return whole ? COARSE_MS + TICK_MS : TICK_MS;
}
