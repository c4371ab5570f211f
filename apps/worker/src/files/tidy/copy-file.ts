/** Copies a file to another file system. A name there always means the complete, verified content. */
import { constants } from "node:fs";
import { chmod, lstat, open, unlink, utimes, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { TidyError } from "./tidy-error.ts";
import { copyName } from "./tidy-name.ts";
import { pathBuffer } from "../path-buffer.ts";
import { numbered, placeFile } from "./place-file.ts";
import { isMissing, systemError } from "../system-error.ts";

const CHUNK_BYTES = 1024 * 1024;
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Resolves with the target's name: `to`, or a numbered name if another file has that one. The source stays. `stillSame`
 * is called before the copy gets its name; undefined if it returns false.
 */
export async function copyFile(
  from: string,
  to: string,
  stillSame: () => Promise<boolean>,
): Promise<string | undefined> {
  const copy = `${dirname(to)}/${copyName()}`;
  try {
    const crc = await writeCopy(from, copy);
    if ((await crcOf(copy)) !== crc)
      throw new TidyError(`the copy in ${dirname(to)} differs from what was written`);
    if (!(await stillSame())) return undefined;
    return await name(copy, to, crc);
  } finally {
    await removeIfThere(copy);
  }
}

async function writeCopy(from: string, copy: string): Promise<number> {
  await using source = await open(pathBuffer(from), READ);
  const { mode, atimeMs, mtimeMs } = await source.stat();
  await using target = await open(pathBuffer(copy), "wx", mode & 0o777);
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let crc = 0;
  for (let at = 0; ;) {
    const { bytesRead } = await source.read(buffer, 0, CHUNK_BYTES, at);
    if (bytesRead === 0) break;
    const chunk = buffer.subarray(0, bytesRead);
    crc = crc32(chunk, crc);
    await writeAll(target, chunk, at);
    at += bytesRead;
  }
  await chmod(pathBuffer(copy), mode & 0o777);
  await utimes(pathBuffer(copy), atimeMs / 1_000, mtimeMs / 1_000);
  await target.sync();
  return crc;
}

async function writeAll(target: FileHandle, chunk: Buffer, at: number): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    const { bytesWritten } = await target.write(chunk, done, chunk.length - done, at + done);
    done += bytesWritten;
  }
}

async function crcOf(path: string): Promise<number> {
  await using file = await open(pathBuffer(path), READ);
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let crc = 0;
  for (let at = 0; ;) {
    const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, at);
    if (bytesRead === 0) return crc;
    crc = crc32(buffer.subarray(0, bytesRead), crc);
    at += bytesRead;
  }
}

/** An identical file under the wanted name is this copy, made by an attempt that was interrupted afterwards. */
async function name(copy: string, to: string, crc: number): Promise<string> {
  const { size } = await lstat(pathBuffer(copy));
  for (let count = 1; ; count += 1) {
    const wanted = numbered(to, count);
    if ((await placeFile(copy, wanted)) === "placed") {
      await syncDirectory(dirname(wanted));
      return wanted;
    }
    const there = await lstat(pathBuffer(wanted));
    if (there.isFile() && there.size === size && (await crcOf(wanted)) === crc) return wanted;
  }
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(pathBuffer(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } catch (error) {
    // Some network file systems do not support fsync for directories; they write through.
    if (systemError(error).code !== "EINVAL") throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(pathBuffer(path));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
