/**
 * Completed files as Redis knows them after it came back older, and as this worker remembers them. Of two entries for one
 * path the later completion counts; an entry that this worker moved with its renamed file is not at its old path.
 */
import type { DoneEntry } from "@sluice/core";

export interface MergedDone {
  all: Map<string, DoneEntry>;
  /** What Redis has lost. */
  put: { path: string; entry: DoneEntry }[];
  /** Paths under which Redis still has an entry that was moved. */
  moved: string[];
}

export function mergeDone(
  inRedis: ReadonlyMap<string, DoneEntry>,
  remembered: ReadonlyMap<string, DoneEntry>,
): MergedDone {
  const all = new Map(inRedis);
  const put: MergedDone["put"] = [];
  for (const [path, entry] of remembered) {
    const there = inRedis.get(path);
    if (there && there.completed_at_utc >= entry.completed_at_utc) continue;
    all.set(path, entry);
    put.push({ path, entry });
  }
  // Only what was put under its new path: an entry that both know may have been moved back by another worker.
  const placed = new Set(put.map(({ entry }) => entry.stream_id));
  const moved: string[] = [];
  for (const [path, entry] of inRedis) {
    if (!placed.has(entry.stream_id) || remembered.has(path)) continue;
    all.delete(path);
    moved.push(path);
  }
  return { all, put, moved };
}
