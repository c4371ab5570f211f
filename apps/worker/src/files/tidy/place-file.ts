/**
 * Gives a file another name, and never takes one that is in use: a file that came meanwhile is never overwritten.
 *
 * A hard link does that: it fails if the name is taken. Without hard links, the name is first taken by our own empty
 * file, created exclusively, and the rename replaces that one. (renameat2 with RENAME_NOREPLACE is not available in
 * Node, and after a copy a process that still writes the file would write to another one.) Bytes that somebody writes
 * into our empty file before it is replaced are kept under the next free name. What remains is another program's rename
 * onto
 */
import { link, lstat, open, rename, rmdir, unlink, type FileHandle } from "node:fs/promises";
import { pathBuffer } from "../path-buffer.ts";
import { isMissing, systemError } from "../system-error.ts";
import { TidyError } from "./tidy-error.ts";

/** Errors that mean that no second hard link is possible (FAT, some network and FUSE file systems, too many links). */
const NO_LINKS: ReadonlySet<string> = new Set(["EPERM", "EOPNOTSUPP", "ENOTSUP", "ENOSYS", "EMLINK"]);
const MOST_NAMES = 10_000;
const CHUNK_BYTES = 1024 * 1024;

/** Throws the system's error if neither is possible; `from` is then unchanged. */
export async function placeFile(from: string, to: string): Promise<"placed" | "taken"> {
  try {
    await link(pathBuffer(from), pathBuffer(to));
  } catch (error) {
    const { code } = systemError(error);
    if (code === "EEXIST") return (await isSameFile(from, to)) ? await dropName(from) : "taken";
    if (!NO_LINKS.has(code)) throw error;
    return await placeWithoutLinks(from, to);
  }
  return await dropName(from);
}

/** `meanwhile`: for tests, what other programs do between the creation of the name and the rename. */
export async function placeWithoutLinks(
  from: string,
  to: string,
  meanwhile: () => void | Promise<void> = () => undefined,
): Promise<"placed" | "taken"> {
  // A missing file must not leave an empty one in its place.
  await lstat(pathBuffer(from));
  let own: FileHandle;
  try {
    own = await open(pathBuffer(to), "wx+", 0o600);
  } catch (error) {
    if (systemError(error).code === "EEXIST") return "taken";
    throw error;
  }
  try {
    await meanwhile();
    if (!(await isOwn(own, to))) return "taken";
    try {
      await rename(pathBuffer(from), pathBuffer(to));
    } catch (error) {
      if (await isOwn(own, to)) await unlink(pathBuffer(to));
      throw error;
    }
    await keepWhatWasWritten(own, to);
    return "placed";
  } finally {
    await own.close();
  }
}

/** Whether the name still leads to our empty file: others may have written to it or replaced it. */
async function isOwn(own: FileHandle, to: string): Promise<boolean> {
  const mine = await own.stat({ bigint: true });
  try {
    const there = await lstat(pathBuffer(to), { bigint: true });
    return mine.size === 0n && there.ino === mine.ino && there.dev === mine.dev;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Somebody opened our empty file and wrote to it right before the rename: those bytes get a name of their own. */
async function keepWhatWasWritten(own: FileHandle, to: string): Promise<void> {
  if ((await own.stat()).size === 0) return;
  for (let count = 2; count <= MOST_NAMES; count += 1) {
    try {
      await using kept = await open(pathBuffer(numbered(to, count)), "wx");
      const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
      for (let at = 0; ;) {
        const { bytesRead } = await own.read(buffer, 0, CHUNK_BYTES, at);
        if (bytesRead === 0) return;
        await kept.writeFile(buffer.subarray(0, bytesRead));
        at += bytesRead;
      }
    } catch (error) {
      if (systemError(error).code !== "EEXIST") throw error;
    }
  }
  throw new TidyError(`${MOST_NAMES} similar names are taken`);
}

/** As placeFile, under the first free name of `a.mp4`, `a-2.mp4`, `a-3.mp4` …; resolves with it. */
export async function placeUnderFreeName(from: string, to: string): Promise<string> {
  for (let count = 1; count <= MOST_NAMES; count += 1) {
    const name = numbered(to, count);
    if ((await placeFile(from, name)) === "placed") return name;
  }
  throw new TidyError(`${MOST_NAMES} similar names are taken`);
}

export function numbered(path: string, count: number): string {
  if (count === 1) return path;
  const name = path.lastIndexOf("/") + 1;
  const dot = path.lastIndexOf(".");
  const cut = dot > name ? dot : path.length;
  return `${path.slice(0, cut)}-${count}${path.slice(cut)}`;
}

async function dropName(path: string): Promise<"placed"> {
  await unlink(pathBuffer(path));
  return "placed";
}

/** Two names of one file: an earlier attempt was interrupted between link and unlink. */
async function isSameFile(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([a, b].map((path) => lstat(pathBuffer(path), { bigint: true })));
  return one?.ino === other?.ino && one?.dev === other?.dev;
}

/** A directory that is not empty stays. */
export async function removeIfEmpty(directory: string): Promise<void> {
  try {
    await rmdir(pathBuffer(directory));
  } catch (error) {
    const { code } = systemError(error);
    if (!isMissing(error) && code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
}
