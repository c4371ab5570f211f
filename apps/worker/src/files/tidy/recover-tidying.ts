/**
 * After a crash in the middle of tidying a file lies in a hidden directory beside where it was. It is put back under its
 * name, and tidied again by its stream. Nothing is ever deleted here but empty directories of our own.
 */
import { opendir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { decodePath } from "@sluice/core";
import { pathBuffer } from "../path-buffer.ts";
import { placeUnderFreeName, removeIfEmpty } from "./place-file.ts";
import { isMissing } from "../system-error.ts";
import { isTidyPath } from "./tidy-name.ts";

export interface Recovery {
  /** Where the files are now. */
  putBack: string[];
  /** What could not be read or put back, as `path: why`. */
  troubles: string[];
}

const NONE: ReadonlySet<string> = new Set();
const ENTRIES = 256;

/** Looks through the whole watch; run when a watch is first walked. `busy`: directories being used by this process. */
export async function recoverTidying(root: string, busy: ReadonlySet<string> = NONE): Promise<Recovery> {
  const recovery: Recovery = { putBack: [], troubles: [] };
  const pending = [root];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    try {
      for (const below of await directoriesIn(directory)) {
        if (!isTidyPath(below)) pending.push(below);
        else if (!busy.has(below)) recovery.putBack.push(...(await putBackFrom(below, directory)));
      }
    } catch (error) {
      if (!isMissing(error)) recovery.troubles.push(`${directory}: ${String(error)}`);
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
    // A deleted file that someone on this machine still reads; NFS takes it away when they are done.
    if (text.startsWith(".nfs")) continue;
    putBack.push(await placeUnderFreeName(join(hidden, text), join(directory, text)));
  }
  await removeIfEmpty(hidden);
  return putBack;
}

/** In small steps, as the directory may hold 100,000 files. */
async function directoriesIn(path: string): Promise<string[]> {
  const found: string[] = [];
  try {
    // The types know Dir as one of strings only; with this encoding its entries' names are bytes.
    const options = { encoding: "buffer" as BufferEncoding, bufferSize: ENTRIES };
    for await (const entry of await opendir(pathBuffer(path), options)) {
      if (entry.isDirectory()) found.push(join(path, decodePath(entry.name as unknown as Buffer)));
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return found;
}
