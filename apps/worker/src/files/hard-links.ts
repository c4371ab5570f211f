/**
 * A file with more than one name may be one from outside the watch: a user who can write there gives a secret a second name,
 * where the system lets them. Whether it is followed is a rule of the watch, asked of what was opened, not of its name.
 */
import type { BigIntStats } from "node:fs";
import { dirname } from "node:path";
import type { WatchConfig } from "@sluice/config";
import { pathBuffer } from "./path-buffer.ts";
import { statPath } from "./stat-path.ts";
import { isMissing } from "./system-error.ts";

export type HardLinks = WatchConfig["hardlinks"];

interface LinkFacts {
  owner: bigint;
  /** Undefined: the directory is gone. */
  directoryOwner: bigint | undefined;
  /** Undefined where users have no numbers. */
  worker: bigint | undefined;
}

const ROOT = 0n;

/**
 * Root owns the secrets of a host, so that a worker that runs as root has no file of its own by which to tell: there only
 * the directory's owner counts.
 */
export function mayFollow({ owner, directoryOwner, worker }: LinkFacts): boolean {
  return owner === directoryOwner || (owner === worker && worker !== ROOT);
}

/** Why a file is not followed, or undefined. `path`: where it really is. */
export async function refusedLink(
  stats: Pick<BigIntStats, "nlink" | "uid">,
  path: string,
  rule: HardLinks,
): Promise<string | undefined> {
  if (!(stats.nlink > 1n)) return undefined;
  if (rule === "refuse") return "a hard link, which SLUICE_HARDLINKS=refuse leaves alone";
  const worker = process.geteuid?.();
  const facts: LinkFacts = {
    owner: stats.uid,
    directoryOwner: await ownerOf(dirname(path)),
    worker: worker === undefined ? undefined : BigInt(worker),
  };
  return mayFollow(facts) ? undefined : "a hard link to a file of another owner (SLUICE_HARDLINKS)";
}

async function ownerOf(directory: string): Promise<bigint | undefined> {
  try {
    return (await statPath(pathBuffer(directory))).uid;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
