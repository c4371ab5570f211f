/**
 * lstat through the callback interface: every file is checked again and again, and most markers do not exist. The
 * promise interface takes half as much time again, most of it for the stack of an error that only says "missing".
 */
import { lstat, type BigIntStats } from "node:fs";

/** Never follows a link at the end of the path. Rejects with the system's error, which has a code and no stack. */
export function statPath(path: Buffer): Promise<BigIntStats> {
  return new Promise((resolve, reject) => {
    lstat(path, { bigint: true }, (error, stats) => {
      if (error) reject(error);
      else resolve(stats);
    });
  });
}
