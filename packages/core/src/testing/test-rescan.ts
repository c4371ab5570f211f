/** What a rescan makes of a file, as far as the domain's tests need a supervisor. */
import { sameFile, type FileFacts, type KnownFile, type SamenessQuestion } from "../stream/identity.ts";
import type { StreamRecord } from "../stream/record.ts";
import { isLive, kindOf } from "../stream/state.ts";
import { streamId, type StreamId } from "../stream/values.ts";
import { SOURCE } from "./test-values.ts";
import type { World } from "./world.ts";
import type { DoneEntry } from "../stream/completed-file.ts";
import { reasonRecovers } from "../stream/failures.ts";

export type Seen =
  | { kind: "nothing" }
  /** It failed for being missing, and here it is. */
  | { kind: "heal"; failed: StreamRecord }
  | { kind: "open"; facts: FileFacts; supersedes: { id: string; key: string } | undefined };

export function sighting(world: World, path: string): Seen {
  const { redis, disk } = world;
  const file = disk.file(path);
  // Another file than the holder's is its processor's question first.
  if (!file || redis.holderOfPath(SOURCE, path) !== undefined) return { kind: "nothing" };
  const facts = disk.factsOf(file);
  const records = redis.ids().flatMap((id) => redis.record(id) ?? []);
  // The file of a live stream under a new name: that stream follows it.
  if (records.some((record) => isLiveRecord(record) && isFileOf(record, facts, "another_path")))
    return { kind: "nothing" };
  const failed = records.find((record) => {
    const over = kindOf(record.status) !== "failed" || record.superseded_by !== undefined;
    return !over && record.original_path === path && isFileOf(record, facts, "its_path");
  });
  if (failed) return reasonRecovers(failed.failure_reason) ? { kind: "heal", failed } : { kind: "nothing" };
  return sightingOfDone(redis.done(SOURCE, path), facts);
}

/** Only the same file, not shorter, replaces its object. */
function sightingOfDone(done: DoneEntry | undefined, facts: FileFacts): Seen {
  const same = done !== undefined && isFileOf(done, facts, "its_path");
  if (same && done.file_size === facts.size && done.file_mtime_ns === facts.mtimeNs)
    return { kind: "nothing" };
  const reopens = same && facts.size >= done.file_size;
  return { kind: "open", facts, supersedes: reopens ? { id: done.stream_id, key: done.s3_key } : undefined };
}

/** Entries of completed files follow a rename, whatever held the new name, and go with the file. */
export function followDone({ redis, disk }: World): void {
  const moves: { from: string; to: string }[] = [];
  for (const path of redis.donePaths(SOURCE)) {
    const done = redis.done(SOURCE, path);
    const here = disk.file(path);
    if (!done || (here && isFileOf(done, disk.factsOf(here), "its_path"))) continue;
    const { file_inode: inode, file_birthtime_ns: birthtimeNs } = done;
    const now = disk.pathOf({ inode, ...(birthtimeNs === undefined ? {} : { birthtimeNs }) });
    if (now !== undefined) moves.push({ from: path, to: now });
    else if (!here) redis.forgetDone(SOURCE, path);
  }
  redis.moveDone(SOURCE, moves);
}

/** The stream whose file this is, when another path is recorded for it. */
export function knownElsewhere({ redis }: World, facts: FileFacts, path: string): StreamId | undefined {
  const live = redis.ids().flatMap((id) => redis.record(id) ?? []);
  const holder = live.find((record) => isLiveRecord(record) && isFileOf(record, facts, "another_path"));
  if (holder) return holder.id;
  const done = redis.donePaths(SOURCE).filter((name) => name !== path);
  const entry = done
    .map((name) => redis.done(SOURCE, name))
    .find((one) => one && isFileOf(one, facts, "another_path"));
  return entry && streamId(entry.stream_id);
}

export function isLiveRecord(record: StreamRecord | undefined): boolean {
  const kind = kindOf(record?.status ?? "");
  return kind !== undefined && isLive(kind);
}

function isFileOf(known: KnownFile, facts: FileFacts, at: SamenessQuestion["at"]): boolean {
  return sameFile(known, facts, { at }).kind !== "other";
}
