/** Gives a file another name, and never takes one that is in use: a file that came meanwhile is never overwritten. */
import { link, lstat, rename, rmdir, unlink } from "node:fs/promises";
import { pathBuffer } from "./path-buffer.ts";
import { isMissing, systemError } from "./system-error.ts";
import { TidyError } from "./tidy-error.ts";

/** No two hard links to be had here (FAT, some network and FUSE file systems, too many links already). */
const NO_LINKS: ReadonlySet<string> = new Set(["EPERM", "EOPNOTSUPP", "ENOTSUP", "ENOSYS", "EMLINK"]);
const MOST_NAMES = 10_000;

/** Throws the system's error when neither is possible; `from` is then where it was. */
export async function placeFile(from: string, to: string): Promise<"placed" | "taken"> {
  try {
    await link(pathBuffer(from), pathBuffer(to));
  } catch (error) {
    const { code } = systemError(error);
    if (code === "EEXIST") return (await isSameFile(from, to)) ? await dropName(from) : "taken";
    if (!NO_LINKS.has(code)) throw error;
    // The look and the rename are two steps; only where links do not exist.
    if (await exists(to)) return "taken";
    await rename(pathBuffer(from), pathBuffer(to));
    return "placed";
  }
  return await dropName(from);
}

/** As placeFile, under the first free name of `a.mp4`, `a-2.mp4`, `a-3.mp4` …; resolves with it. */
export async function placeUnderFreeName(from: string, to: string): Promise<string> {
  for (let count = 1; count <= MOST_NAMES; count += 1) {
    const name = numbered(to, count);
    if ((await placeFile(from, name)) === "placed") return name;
  }
  throw new TidyError(`${MOST_NAMES} names like this one are taken`);
}

export function numbered(path: string, count: number): string {
  if (count === 1) return path;
  const name = path.lastIndexOf("/") + 1;
  const dot = path.lastIndexOf(".");
  const cut = dot > name ? dot : path.length;
  return `${path.slice(0, cut)}-${count}${path.slice(cut)}`;
}

export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(pathBuffer(path));
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
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

/** One that is not empty stays as it is. */
export async function removeIfEmpty(directory: string): Promise<void> {
  try {
    await rmdir(pathBuffer(directory));
  } catch (error) {
    const { code } = systemError(error);
    if (!isMissing(error) && code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
}
