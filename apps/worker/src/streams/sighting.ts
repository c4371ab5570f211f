/**
 * Decides what to do with a file that a rescan or a hint has seen. A pure decision over what is known about its path,
 * and about its identity under other names. What is known about a path does not apply to another file that is there
 * now: that file is first looked up by its identity.
 */
import {
  judgeCompleted,
  reasonRecovers,
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
  /** Its stream checks the file. */
  | { kind: "poke"; id: string }
  | { kind: "open" }
  /** A file was completed at this path: whether it changed since. */
  | { kind: "completed"; entry: DoneEntry; is: CompletedVerdict }
  /** The file of a live stream under a new name: the stream is asked to follow it. */
  | { kind: "follow_live"; id: string }
  /** A completed file under a new name: its `files:done` entry follows. */
  | { kind: "follow_done"; from: string; entry: DoneEntry }
  /** Its stream failed because the file was missing; now it exists again. */
  | { kind: "recover"; id: string }
  /** Ignored, but changed since. */
  | { kind: "lift" }
  /** A second name of a file that has a stream or an object under its first name. */
  | { kind: "alias"; of: string }
  /** Another file than the completed one. Only a whole walk can find out where that one is now. */
  | { kind: "displaced" };

export interface Sighting {
  facts: FileFacts;
  at: AtPath;
  /** What has this very file under another path. Looked up only if nothing at this path is this file. */
  elsewhere: Elsewhere | undefined;
  /** A whole walk has been made since the file was first seen here: a file it did not find is gone. */
  walked: boolean;
}

/** `stillThere`: its path leads to this very file as well. */
export type Elsewhere = { path: string; stillThere: boolean } & (
  | { kind: "live"; id: string }
  | { kind: "waiting"; id: string }
  | { kind: "done"; entry: DoneEntry }
  | { kind: "failed"; id: string }
);

/**
 * Verdicts that would start a stream at the path. While a stream is live there, that one first finds out where its own
 * file is.
 */
const BEGINS: ReadonlySet<Verdict["kind"]> = new Set(["open", "completed", "recover", "lift", "alias"]);

export function judgeSighting(seen: Sighting): Verdict {
  const known = judgeKnown(seen.at, seen.facts);
  const verdict =
    known && !seen.walked && mayHaveLeft(known, seen.facts) ? DISPLACED : (known ?? judgeOther(seen));
  const { live } = seen.at;
  return live && BEGINS.has(verdict.kind) ? { kind: "poke", id: live.id } : verdict;
}

const DISPLACED: Verdict = { kind: "displaced" };

/**
 * Where inode numbers prove nothing, another number and other bytes may be a change of the completed file, or another
 * file that has its name: a log that was rotated. A walk looks for the completed one first.
 */
function mayHaveLeft(known: Verdict, facts: FileFacts): boolean {
  if (known.kind !== "completed" || known.entry.file_inode === facts.inode) return false;
  return known.is.kind === "reopen" || known.is.kind === "another";
}

/** Undefined if nothing known about the path is this file. */
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

/** Undefined for another file under the name of a failed stream, which has nothing to do with that failure. */
function judgeFailed(stream: FailedFile, facts: FileFacts): Verdict | undefined {
  const same = sameFile(stream, facts, AT_ITS_PATH).kind;
  if (same === "other") return undefined;
  // Only the bytes could decide. If the failed file was missing meanwhile, or was longer, this is another file.
  const another = stream.wasGone === true || facts.size < (stream.file_size ?? 0);
  if (same === "ask_bytes" && !reasonRecovers(stream.reason) && another) return undefined;
  return reasonRecovers(stream.reason) ? { kind: "recover", id: stream.id } : { kind: "nothing" };
}

function judgeOther({ facts, at, elsewhere, walked }: Sighting): Verdict {
  // Another walk may still find the completed file that had this name.
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
      return early ? { kind: "displaced" } : { kind: "recover", id: elsewhere.id };
    case undefined:
      if (early) return { kind: "displaced" };
      if (at.ignored) return { kind: "lift" };
      // A copy of the completed file counts as that file if the original is gone.
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
  /** Bytes of a stream's file that are in S3: the file cannot be shorter. */
  sentBytes(id: string): number;
}

/**
 * Finds the stream or entry of a file that is seen at a path where nothing known is this file. `but`: a stream to
 * exclude, which asks for others than itself.
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

/**
 * Only a stream whose failure recovers automatically and whose path is free, and only if the identity proves something.
 */
async function failedOne(
  path: string,
  facts: FileFacts,
  { table, files }: WhoseDeps,
): Promise<Elsewhere | undefined> {
  for (const { path: name, stream } of table.failedOf(facts.inode)) {
    if (name === path || !reasonRecovers(stream.reason)) continue;
    if (sameFile(stream, facts, { at: "another_path" }).kind !== "same") continue;
    const { live, waiting } = table.at(name);
    if (live || waiting || (await leadsTo(name, stream, facts, files)) !== "left") continue;
    return { kind: "failed", id: stream.id, path: name, stillThere: false };
  }
  return undefined;
}

/**
 * `seen`: to the very file that was seen, which then has two names. `own`: to its own file, which only resembles that
 * one; both checks are from the same boot, so the devices can be compared. `left`: that file no longer exists there.
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
