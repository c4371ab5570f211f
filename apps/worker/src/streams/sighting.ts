/**
 * A file is seen by a rescan or a hint: what is it to us? A pure decision over what is known of its path, and of its
 * identity under other names. A path that is known says nothing of another file that has come to stand there: that file
 * is looked for by its identity first.
 */
import {
  judgeCompleted,
  reasonHeals,
  sameFile,
  type CompletedVerdict,
  type DoneEntry,
  type FileFacts,
  type KnownFile,
} from "@sluice/core";
import type { AtPath, FailedFile, IgnoredFile } from "./path-table.ts";

export type Verdict =
  | { kind: "nothing" }
  /** Its stream looks at the file. */
  | { kind: "poke"; id: string }
  | { kind: "open" }
  /** A file was completed at this path: what has become of it. */
  | { kind: "completed"; entry: DoneEntry; is: CompletedVerdict }
  /** The file of a live stream under a new name: the stream is asked to follow. */
  | { kind: "follow_live"; id: string }
  /** A completed file under a new name: its `files:done` entry follows. */
  | { kind: "follow_done"; from: string; entry: DoneEntry }
  /** Failed because its file was missing, and here it is. */
  | { kind: "heal"; id: string }
  /** Ignored, but changed since. */
  | { kind: "lift" }
  /** A second name of a file that has a stream or an object under its first. */
  | { kind: "alias"; of: string }
  /** Another file than the completed one. Where that one is now, only a whole walk can tell. */
  | { kind: "displaced" };

export interface Sighting {
  facts: FileFacts;
  at: AtPath;
  /** What has this very file under another path. Asked for only when nothing at this path is this file. */
  elsewhere: Elsewhere | undefined;
  /** A whole walk has been made since the file was first seen here: what it did not find is gone. */
  walked: boolean;
}

/** `stillThere`: its path leads to this very file as well. */
export type Elsewhere = { path: string; stillThere: boolean } & (
  | { kind: "live"; id: string }
  | { kind: "waiting"; id: string }
  | { kind: "done"; entry: DoneEntry }
  | { kind: "failed"; id: string }
);

/** What would begin a stream at the path. While one is live there, that one asks first where its own file has gone. */
const BEGINS: ReadonlySet<Verdict["kind"]> = new Set(["open", "completed", "heal", "lift", "alias"]);

export function judgeSighting(seen: Sighting): Verdict {
  const verdict = judgeKnown(seen.at, seen.facts) ?? judgeOther(seen);
  const { live } = seen.at;
  return live && BEGINS.has(verdict.kind) ? { kind: "poke", id: live.id } : verdict;
}

/** Undefined when nothing that is known of the path is this file. */
export function judgeKnown(at: AtPath, facts: FileFacts): Verdict | undefined {
  const { live, waiting, failed, ignored, done } = at;
  if (live && mayBe(live.file, facts)) return { kind: "poke", id: live.id };
  if (waiting) return { kind: "nothing" };
  if (failed) {
    const verdict = judgeFailed(failed, facts);
    if (verdict) return verdict;
  }
  if (ignored && sameIgnored(ignored, facts)) return { kind: "nothing" };
  if (done && mayBe(done, facts)) return { kind: "completed", entry: done, is: judgeCompleted(done, facts) };
  return undefined;
}

/** Undefined for another file under the name of a failed stream: it has nothing to do with that failure. */
function judgeFailed(stream: FailedFile, facts: FileFacts): Verdict | undefined {
  const same = sameFile(stream, facts, AT_ITS_PATH).kind;
  if (same === "other") return undefined;
  // Where only bytes can tell: the failed file was gone meanwhile, or was longer, so this is another one.
  const another = stream.wasGone === true || facts.size < (stream.file_size ?? 0);
  if (same === "ask_bytes" && !reasonHeals(stream.reason) && another) return undefined;
  return reasonHeals(stream.reason) ? { kind: "heal", id: stream.id } : { kind: "nothing" };
}

function judgeOther({ facts, at, elsewhere, walked }: Sighting): Verdict {
  // What another walk may tell of the completed file that had this name.
  const early = at.done !== undefined && !walked;
  if (elsewhere && elsewhere.kind !== "failed" && elsewhere.stillThere)
    return { kind: "alias", of: elsewhere.path };
  switch (elsewhere?.kind) {
    case "live":
      return { kind: "follow_live", id: elsewhere.id };
    case "waiting":
      return { kind: "nothing" };
    case "done":
      // Its entry must not overwrite one whose file may have been renamed as well.
      if (early) return { kind: "displaced" };
      return { kind: "follow_done", from: elsewhere.path, entry: elsewhere.entry };
    case "failed":
      return early ? { kind: "displaced" } : { kind: "heal", id: elsewhere.id };
    case undefined:
      if (early) return { kind: "displaced" };
      if (at.ignored) return { kind: "lift" };
      // A copy of the completed file, whose own is gone, is that file.
      return at.done
        ? { kind: "completed", entry: at.done, is: judgeCompleted(at.done, facts) }
        : { kind: "open" };
  }
}

export function healsByItself(stream: FailedFile): boolean {
  return reasonHeals(stream.reason);
}

const AT_ITS_PATH = { at: "its_path" } as const;

/** Whether a file at a path may be the one that is known there. */
export function mayBe(known: KnownFile, facts: FileFacts): boolean {
  return sameFile(known, facts, AT_ITS_PATH).kind !== "other";
}

function sameIgnored(file: IgnoredFile, facts: FileFacts): boolean {
  return (
    (file.file_inode === undefined || mayBe(file, facts)) &&
    (file.file_size ?? facts.size) === facts.size &&
    (file.file_mtime_ns ?? facts.mtimeNs) === facts.mtimeNs
  );
}
