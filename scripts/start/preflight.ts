/**
 * Detects at once what would make a start fail later: a full disk, a directory that cannot be written, an unreadable
 * inbox.
 */
import { accessSync, chmodSync, constants, mkdirSync, statfsSync } from "node:fs";
import { StartError } from "./start-error.ts";

const MIB = 1024 * 1024;
/** With less free space Redis may be unable to keep its append-only file. */
const FREE_BYTES_NEEDED = 128 * MIB;

/** Makes `stateDir` (0700) and `inbox` when they are missing. Throws StartError. */
export function preflight(stateDir: string, inbox: string): void {
  if (inbox.includes(",")) {
    throw new StartError(
      `${inbox}: commas separate watches, so no watched path may hold one; choose another with --inbox <dir>`,
    );
  }
  makeDir(stateDir, 0o700);
  // The bootstrap made it before anything secret was in it.
  chmodSync(stateDir, 0o700);
  makeDir(inbox, 0o755);
  const { bavail, bsize } = statfsSync(stateDir);
  const freeBytes = bavail * bsize;
  if (freeBytes < FREE_BYTES_NEEDED) {
    throw new StartError(
      `only ${Math.floor(freeBytes / MIB)} MiB are free on the disk of ${stateDir}; the embedded parts need at least ${FREE_BYTES_NEEDED / MIB} MiB.\nFree some space, or choose another disk: npm start -- --state <dir>`,
    );
  }
}

const WHY_UNUSABLE: Readonly<Record<string, string>> = {
  EACCES: "it belongs to another user or is read-only",
  EEXIST: "it is a file, and a directory is needed",
  ENOTDIR: "part of the path is a file",
  EROFS: "its file system is read-only",
};

function makeDir(dir: string, mode: number): void {
  try {
    mkdirSync(dir, { recursive: true, mode });
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = WHY_UNUSABLE[code ?? ""] ?? message;
    throw new StartError(`${dir} cannot be used: ${why}`, { cause });
  }
}
