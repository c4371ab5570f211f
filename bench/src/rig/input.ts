/** Files to upload: bytes no one can compress, a size that is no multiple of a part, already in the page cache. */
import { randomBytes } from "node:crypto";
import { closeSync, openSync, readSync, writeSync } from "node:fs";

const CHUNK = 16 * 1024 * 1024;

/** 2 GiB and a tail that fills no part. */
export const BIG_BYTES = 2 * 1024 ** 3 + 1_234_567;

export function writeInput(path: string, bytes: number): void {
  const chunk = randomBytes(CHUNK);
  const file = openSync(path, "wx");
  for (let done = 0; done < bytes; done += CHUNK) {
    chunk.writeDoubleLE(done, 0);
    writeSync(file, chunk, 0, Math.min(CHUNK, bytes - done));
  }
  closeSync(file);
}

/** Reads it once, so that no peer pays for the disk. */
export function warm(path: string): void {
  const chunk = Buffer.alloc(CHUNK);
  const file = openSync(path, "r");
  while (readSync(file, chunk) > 0);
  closeSync(file);
}
