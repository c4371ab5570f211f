/** Is the local file still the one whose bytes were verified? Asked again and again before it is deleted or moved. */
import { knownAs, sameFile, type FileFacts } from "./identity.ts";

export type Compared =
  | "same"
  /**
   * ctime alone moved: a rename, a new name, other rights, or other bytes with the old mtime. Or its inode number, on a
   * file system that gives new ones to the same file. Reading it tells.
   */
  | "touched"
  | "changed";

/** Nobody can set a ctime: a file with inode, size, mtime and ctime of the verified one is that one, and unchanged. */
export function compareWithSnapshot(verified: FileFacts, seen: FileFacts): Compared {
  const known = knownAs(verified);
  if (sameFile(known, seen, { at: "its_path", completed: true }).kind === "other") return "changed";
  if (seen.size !== verified.size || seen.mtimeNs !== verified.mtimeNs) return "changed";
  return seen.inode === verified.inode && seen.ctimeNs === verified.ctimeNs ? "same" : "touched";
}

/** Longest step of the timestamps of a file system that keeps whole seconds (FAT: two). */
const COARSE_MS = 2_000;
/** The kernel stamps a change with the time of its last tick; one after the look may bear the time of one before. */
const TICK_MS = 20;

/**
 * For how long after it was first seen with these times a file may still change without its times moving: a second change
 * within one step of the clock leaves no trace. Whoever reads it after that sees every change by its times.
 */
export function timestampStepMs({ mtimeNs, ctimeNs }: Pick<FileFacts, "mtimeNs" | "ctimeNs">): number {
  const whole = [mtimeNs, ctimeNs].every((ns) => ns.endsWith("000000000"));
  return whole ? COARSE_MS + TICK_MS : TICK_MS;
}
