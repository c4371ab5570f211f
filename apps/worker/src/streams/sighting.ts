/** A file is seen by a rescan or a hint: what is it to us? A pure decision over what is known of its path and identity. */
import type { DoneEntry, FileFacts } from "@sluice/core";
import type { FailedFile, FileIdentity, IgnoredFile, Known } from "./path-table.ts";

export type Verdict =
  | { kind: "nothing" }
  /** Its stream looks at the file. */
  | { kind: "poke"; id: string }
  | { kind: "open" }
  /** A completed file changed: a new generation under the same key, replacing our own earlier object. */
  | { kind: "reopen"; entry: DoneEntry }
  /** The same file under a new name: its live stream, or its `files:done` entry, follows. */
  | { kind: "follow_live"; from: string }
  | { kind: "follow_done"; from: string }
  /** Failed because its file was missing, and here it is. */
  | { kind: "heal"; id: string }
  /** Ignored, but changed since. */
  | { kind: "lift" }
  /** A second name of a file that has a stream or an object under its first. */
  | { kind: "alias"; of: string };

export interface Sighting {
  facts: FileFacts;
  known: Known | undefined;
  /** The name under which a live stream, or a done entry, has this file's identity. */
  live: OtherName | undefined;
  done: OtherName | undefined;
}

export interface OtherName {
  path: string;
  /** Whether the path still leads to this very file. */
  stillThere: boolean;
}

const HEALS: ReadonlySet<string> = new Set(["file_missing", "file_missing_on_resume", "unreadable_file"]);

export function judgeSighting(seen: Sighting): Verdict {
  const { known, facts } = seen;
  switch (known?.kind) {
    case "live":
      return { kind: "poke", id: known.id };
    case "done":
      return judgeDone(known.entry, facts);
    case "failed":
      return judgeFailed(known.stream, facts);
    case "ignored":
      return sameIgnored(known.file, facts) ? { kind: "nothing" } : { kind: "lift" };
    case undefined:
      return judgeNew(seen);
  }
}

function judgeDone(entry: DoneEntry, facts: FileFacts): Verdict {
  const same = sameIdentity({ inode: entry.file_inode, birthtimeNs: entry.file_birthtime_ns }, facts);
  if (same && entry.file_size === facts.size && entry.file_mtime_ns === facts.mtimeNs)
    return { kind: "nothing" };
  // Only the same file, not shorter, may replace its object; another one is a file like any new one.
  return same && facts.size >= entry.file_size ? { kind: "reopen", entry } : { kind: "open" };
}

function judgeFailed(stream: FailedFile, facts: FileFacts): Verdict {
  const known =
    stream.file_inode === undefined
      ? undefined
      : { inode: stream.file_inode, birthtimeNs: stream.file_birthtime_ns };
  // Another file under the name of a failed stream has nothing to do with that failure.
  if (known && !sameIdentity(known, facts)) return { kind: "open" };
  return HEALS.has(stream.reason) ? { kind: "heal", id: stream.id } : { kind: "nothing" };
}

function judgeNew({ live, done }: Sighting): Verdict {
  if (live)
    return live.stillThere ? { kind: "alias", of: live.path } : { kind: "follow_live", from: live.path };
  if (done)
    return done.stillThere ? { kind: "alias", of: done.path } : { kind: "follow_done", from: done.path };
  return { kind: "open" };
}

function sameIdentity(known: FileIdentity, facts: FileFacts): boolean {
  if (known.inode !== facts.inode) return false;
  return (
    known.birthtimeNs === undefined ||
    facts.birthtimeNs === undefined ||
    known.birthtimeNs === facts.birthtimeNs
  );
}

function sameIgnored(file: IgnoredFile, facts: FileFacts): boolean {
  const same =
    file.file_inode === undefined ||
    sameIdentity({ inode: file.file_inode, birthtimeNs: file.file_birthtime_ns }, facts);
  return (
    same &&
    (file.file_size ?? facts.size) === facts.size &&
    (file.file_mtime_ns ?? facts.mtimeNs) === facts.mtimeNs
  );
}
