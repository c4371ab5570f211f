/** A file is seen by a rescan or a hint: what is it to us? A pure decision over what is known of its path and identity. */
import {
  judgeCompleted,
  sameFile,
  type CompletedVerdict,
  type DoneEntry,
  type FileFacts,
} from "@sluice/core";
import type { FailedFile, IgnoredFile, Known } from "./path-table.ts";

export type Verdict =
  | { kind: "nothing" }
  /** Its stream looks at the file. */
  | { kind: "poke"; id: string }
  | { kind: "open" }
  /** A file was completed at this path. */
  | { kind: "completed"; entry: DoneEntry; is: CompletedVerdict }
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
      return { kind: "completed", entry: known.entry, is: judgeCompleted(known.entry, facts) };
    case "failed":
      return judgeFailed(known.stream, facts);
    case "ignored":
      return sameIgnored(known.file, facts) ? { kind: "nothing" } : { kind: "lift" };
    case undefined:
      return judgeNew(seen);
  }
}

function judgeFailed(stream: FailedFile, facts: FileFacts): Verdict {
  // Another file under the name of a failed stream has nothing to do with that failure.
  if (sameFile(stream, facts, { at: "its_path" }).kind === "other") return { kind: "open" };
  return HEALS.has(stream.reason) ? { kind: "heal", id: stream.id } : { kind: "nothing" };
}

function judgeNew({ live, done }: Sighting): Verdict {
  if (live)
    return live.stillThere ? { kind: "alias", of: live.path } : { kind: "follow_live", from: live.path };
  if (done)
    return done.stillThere ? { kind: "alias", of: done.path } : { kind: "follow_done", from: done.path };
  return { kind: "open" };
}

function sameIgnored(file: IgnoredFile, facts: FileFacts): boolean {
  const same = sameFile(file, facts, { at: "its_path" }).kind !== "other";
  return (
    same &&
    (file.file_size ?? facts.size) === facts.size &&
    (file.file_mtime_ns ?? facts.mtimeNs) === facts.mtimeNs
  );
}
