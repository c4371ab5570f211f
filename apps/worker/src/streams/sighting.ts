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
  type FileSource,
  type KnownFile,
} from "@sluice/core";
import type { AtPath, FailedFile, IgnoredFile, PathTable } from "./path-table.ts";

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

export interface WhoseDeps {
  table: PathTable;
  files: Pick<FileSource, "look">;
  /** Bytes of a stream's file that are in S3: what its file cannot be shorter than. */
  sentBytes(id: string): number;
}

/**
 * Which stream or entry has a file that is seen at a path where nothing known is this file. `but`: a stream that asks for others than itself.
 */
export async function whoseFile(
  path: string,
  facts: FileFacts,
  deps: WhoseDeps,
  but?: string,
): Promise<Elsewhere | undefined> {
  return (
    (await liveOne(path, facts, deps, but)) ??
    (await completedOne(path, facts, deps)) ??
    (await failedOne(path, facts, deps))
  );
}

async function liveOne(
  path: string,
  facts: FileFacts,
  { table, files, sentBytes }: WhoseDeps,
  but: string | undefined,
): Promise<Elsewhere | undefined> {
  const live = table.liveOf(facts.inode).map((one) => ({ ...one, kind: "live" as const }));
  const waiting = table.waitingOf(facts.inode).map((one) => ({ ...one, kind: "waiting" as const }));
  for (const { kind, id, path: name, file } of [...live, ...waiting]) {
    const question = { at: "another_path", sentBytes: sentBytes(id) } as const;
    if (id === but || sameFile(file, facts, question).kind === "other") continue;
    const leads = await leadsTo(name, file, facts, files);
    if (leads !== "own") return { kind, id, path: name, stillThere: leads === "seen" && name !== path };
  }
  return undefined;
}

async function completedOne(
  path: string,
  facts: FileFacts,
  { table, files }: WhoseDeps,
): Promise<Elsewhere | undefined> {
  const question = { at: "another_path", completed: true } as const;
  const done = table
    .doneOf(facts.inode)
    .filter((one) => one.path !== path && sameFile(one.entry, facts, question).kind !== "other");
  // An earlier generation of the file may have left its entry under an earlier name.
  const exact = done.find(
    ({ entry }) => entry.file_size === facts.size && entry.file_mtime_ns === facts.mtimeNs,
  );
  for (const { path: name, entry } of exact ? [exact] : done) {
    const leads = await leadsTo(name, entry, facts, files);
    if (leads !== "own") return { kind: "done", entry, path: name, stillThere: leads === "seen" };
  }
  return undefined;
}

/** Only one that heals by itself, whose path is free for it, and only where the identity proves something. */
async function failedOne(
  path: string,
  facts: FileFacts,
  { table, files }: WhoseDeps,
): Promise<Elsewhere | undefined> {
  for (const { path: name, stream } of table.failedOf(facts.inode)) {
    if (name === path || !reasonHeals(stream.reason)) continue;
    if (sameFile(stream, facts, { at: "another_path" }).kind !== "same") continue;
    const { live, waiting } = table.at(name);
    if (live || waiting || (await leadsTo(name, stream, facts, files)) !== "left") continue;
    return { kind: "failed", id: stream.id, path: name, stillThere: false };
  }
  return undefined;
}

/**
 * `seen`: to the very file that was seen, which has two names then. `own`: to its own file, which only looks like that
 * one; both looks are of one boot, so the device tells them apart. `left`: that file is not there any more.
 */
async function leadsTo(
  path: string,
  own: KnownFile,
  seen: FileFacts,
  files: Pick<FileSource, "look">,
): Promise<"seen" | "own" | "left"> {
  const look = await files.look(path);
  if (look.kind !== "file" || look.facts.inode !== own.file_inode) return "left";
  if (sameFile(own, look.facts, { at: "its_path" }).kind === "other") return "left";
  return look.facts.device === seen.device ? "seen" : "own";
}
