/** A watch that is missing or unreadable refuses the start, unless this source has live streams: then it may come back. */
import { constants } from "node:fs";
import { access, lstat } from "node:fs/promises";
import { indexedIds, loadStreams, type SchemaContext } from "@sluice/redis-schema";
import { pathBuffer } from "../adapters/path-buffer.ts";
import type { RootIdentity } from "../streams/watch-runner.ts";
import { factsOf } from "../adapters/file-facts.ts";

export async function unusableWatches(watches: readonly { name: string; root: string }[]): Promise<string[]> {
  const problems: string[] = [];
  for (const { name, root } of watches) {
    try {
      await access(pathBuffer(root), constants.R_OK | constants.X_OK);
      if ((await rootIdentity(root)) === undefined)
        problems.push(`watch ${name}: ${root} is not a directory`);
    } catch (error) {
      const why = error instanceof Error && "code" in error ? String(error.code) : String(error);
      problems.push(
        `watch ${name}: ${root} cannot be read (${why}): create it, or let the worker's user read it`,
      );
    }
  }
  return problems;
}

/** The root as a directory; a root that is itself a link is the directory it leads to. */
export async function rootIdentity(root: string): Promise<RootIdentity | undefined> {
  try {
    const stats = await lstat(pathBuffer(`${root}/.`), { bigint: true });
    const { inode, birthtimeNs } = factsOf(stats);
    return stats.isDirectory() ? { inode, birthtimeNs } : undefined;
  } catch {
    return undefined; // gone or unreadable: the caller treats both as an absent volume
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
