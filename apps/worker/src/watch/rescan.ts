/** Walks a watch and gives every regular file that is a stream. Follows no link; a file that vanishes is passed over. */
import { lstat, readdir } from "node:fs/promises";
import { decodePath, type FileFacts } from "@sluice/core";
import { factsOf } from "../adapters/file-facts.ts";
import { isMissing } from "../adapters/system-error.ts";
import type { PathFilter } from "./path-filter.ts";

export interface Seen {
  path: string;
  facts: FileFacts;
}

export interface Walk {
  root: string;
  filter: PathFilter;
  signal: AbortSignal;
  nowMs(): number;
  /** A directory that cannot be read: what is in it is unknown, not gone. */
  onUnreadable(path: string, error: unknown): void;
}

/** Stats under way at once: enough to hide the latency of a network file system, few enough to keep other reads going. */
const STATS = 32;
const SLASH = Buffer.from("/");

export async function* rescan(walk: Walk): AsyncGenerator<Seen> {
  const pending: Buffer[] = [Buffer.from(walk.root)];
  for (let directory = pending.pop(); directory && !walk.signal.aborted; directory = pending.pop()) {
    const files: Buffer[] = [];
    for (const entry of await list(walk, directory)) {
      const path = Buffer.concat([directory, SLASH, entry.name]);
      if (entry.isDirectory() && walk.filter.enters(decodePath(entry.name))) pending.push(path);
      else if (entry.isFile()) files.push(path);
    }
    for (let at = 0; at < files.length && !walk.signal.aborted; at += STATS) {
      const seen = await Promise.all(files.slice(at, at + STATS).map((path) => look(walk, path)));
      for (const one of seen) if (one) yield one;
    }
  }
}

async function list(walk: Walk, directory: Buffer) {
  try {
    return await readdir(directory, { withFileTypes: true, encoding: "buffer" });
  } catch (error) {
    if (!isMissing(error)) walk.onUnreadable(decodePath(directory), error);
    return [];
  }
}

async function look(walk: Walk, buffer: Buffer): Promise<Seen | undefined> {
  try {
    const stats = await lstat(buffer, { bigint: true });
    if (!stats.isFile()) return undefined;
    const path = decodePath(buffer);
    const facts = factsOf(stats);
    return walk.filter.refuse(path, facts, walk.nowMs()) ? undefined : { path, facts };
  } catch (error) {
    if (isMissing(error)) return undefined;
    walk.onUnreadable(decodePath(buffer), error);
    return undefined;
  }
}
