/**
 * After a crash during tidying, a file is in a hidden directory next to its former place. It is restored under its name
 * and tidied again by its stream. Nothing is deleted here except our own empty directories.
 */
import { opendir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { decodePath } from "@sluice/core";
import { pathBuffer } from "../path-buffer.ts";
import { placeUnderFreeName, removeIfEmpty } from "./place-file.ts";
import { isMissing } from "../system-error.ts";
import { isTidyPath } from "./tidy-name.ts";

export interface Recovery {
  /** Paths of the restored files. */
  putBack: string[];
  /** What could not be read or restored, as `path: why`. */
  problems: string[];
  /** A file was found that could not be restored, for example because the volume is full. */
  left: boolean;
}

const NONE: ReadonlySet<string> = new Set();
const ENTRIES = 256;

/** Searches the whole watch; run when a watch is first walked. `busy`: directories in use by this process. */
export async function recoverTidying(root: string, busy: ReadonlySet<string> = NONE): Promise<Recovery> {
  const recovery: Recovery = { putBack: [], problems: [], left: false };
  const problem = (directory: string, error: unknown): void => {
    if (!isMissing(error)) recovery.problems.push(`${directory}: ${String(error)}`);
  };
  const pending = [root];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    try {
      for (const below of await directoriesIn(directory)) {
        if (!isTidyPath(below)) pending.push(below);
        else if (!busy.has(below)) {
          try {
            recovery.putBack.push(...(await putBackFrom(below, directory)));
          } catch (error) {
            recovery.left ||= !isMissing(error);
            problem(directory, error);
          }
        }
      }
    } catch (error) {
      problem(directory, error);
    }
  }
  return recovery;
}

/** As recoverTidying, in one directory. */
export async function putBackIn(directory: string, busy: ReadonlySet<string> = NONE): Promise<string[]> {
  const putBack: string[] = [];
  for (const below of await directoriesIn(directory)) {
    if (isTidyPath(below) && !busy.has(below)) putBack.push(...(await putBackFrom(below, directory)));
  }
  return putBack;
}

async function putBackFrom(hidden: string, directory: string): Promise<string[]> {
  const putBack: string[] = [];
  for (const name of await readdir(pathBuffer(hidden), { encoding: "buffer" })) {
    const text = decodePath(name);
    // A deleted file that is still open on this machine; NFS removes it when it is closed.
    if (text.startsWith(".nfs")) continue;
    putBack.push(await placeUnderFreeName(join(hidden, text), join(directory, text)));
  }
  await removeIfEmpty(hidden);
  return putBack;
}

/** In batches, as the directory may hold 100,000 files. */
async function directoriesIn(path: string): Promise<string[]> {
  const found: string[] = [];
  try {
    // The types allow only strings in a Dir; with this encoding the names of its entries are bytes.
    const options = { encoding: "buffer" as BufferEncoding, bufferSize: ENTRIES };
    for await (const entry of await opendir(pathBuffer(path), options)) {
      if (entry.isDirectory()) found.push(join(path, decodePath(entry.name as unknown as Buffer)));
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return found;
}
