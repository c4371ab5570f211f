/** How much room the file system of a directory has, as `df` counts it. */
import { stat, statfs } from "node:fs/promises";
import { pathBuffer } from "./path-buffer.ts";
import { systemError } from "./system-error.ts";

export interface DiskSpace {
  /** What users other than root may still write. */
  freeBytes: number;
  /** What they have in all: without the blocks that are reserved for root. */
  totalBytes: number;
  /** Names the file system: at the same place there may be another one next time. */
  device: string;
}

/**
 * Undefined if it is not known: the directory is missing, or its file system does not count. On a network file system
 * that hangs, the answer never comes.
 */
export async function diskSpace(directory: string): Promise<DiskSpace | undefined> {
  try {
    const path = pathBuffer(directory);
    const { dev } = await stat(path, { bigint: true });
    const { bsize, blocks, bfree, bavail } = await statfs(path, { bigint: true });
    if (blocks <= 0n) return undefined;
    return {
      freeBytes: bytes(bavail * bsize),
      totalBytes: bytes((blocks - bfree + bavail) * bsize),
      device: String(dev),
    };
  } catch (error) {
    systemError(error);
    return undefined;
  }
}

/** Some network file systems report more than a number can hold. */
function bytes(count: bigint): number {
  return Number(count > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : count);
}
