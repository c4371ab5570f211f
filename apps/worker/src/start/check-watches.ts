/**
 * A missing or unreadable watch refuses the start, unless this source has live streams: then its volume may come back.
 */
import { constants } from "node:fs";
import { access, lstat, stat } from "node:fs/promises";
import { indexedIds, loadStreams, type SchemaContext } from "@sluice/redis-schema";
import { pathBuffer } from "../files/path-buffer.ts";
import type { RootIdentity } from "../files/watch/watch-runner.ts";
import { factsOf } from "../files/file-facts.ts";

export interface UnusableWatch {
  what: string;
  remedy: string;
}

export async function unusableWatches(
  watches: readonly { name: string; root: string }[],
): Promise<UnusableWatch[]> {
  const problems: UnusableWatch[] = [];
  for (const { name, root } of watches) {
    const problem = await problemOf(root);
    if (problem) problems.push({ ...problem, what: `watch ${name}: ${root} ${problem.what}` });
  }
  return problems;
}

async function problemOf(root: string): Promise<UnusableWatch | undefined> {
  try {
    if (!(await stat(pathBuffer(root))).isDirectory())
      return { what: "is not a directory", remedy: "name the directory whose files are to be uploaded" };
    await access(pathBuffer(root), constants.R_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    if (code === "ENOENT") return { what: "does not exist", remedy: "create or mount it" };
    return { what: `cannot be read (${code})`, remedy: "let the worker's user read and enter it" };
  }
}

/** The root as a directory; if the root is a link, the directory it leads to. */
export async function rootIdentity(root: string): Promise<RootIdentity | undefined> {
  try {
    const stats = await lstat(pathBuffer(`${root}/.`), { bigint: true });
    const { inode, birthtimeNs } = factsOf(stats);
    return stats.isDirectory() ? { inode, birthtimeNs } : undefined;
  } catch {
    return undefined; // missing or unreadable: the caller treats both as a missing volume
  }
}

export async function hasLiveStreams(context: SchemaContext, source: string): Promise<boolean> {
  for (const index of ["active", "pending_completion"] as const) {
    for await (const chunk of loadStreams(context, await indexedIds(context, index), { parts: false })) {
      if (chunk.some(({ raw }) => raw["source"] === source || raw["source"] === undefined)) return true;
    }
  }
  return false;
}
