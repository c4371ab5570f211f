/** Which stream or entry has a file that is seen at a path where nothing is known of it. */
import type { FileFacts, FileSource } from "@sluice/core";
import { identityOfDone, type FileIdentity, type LiveFile, type PathTable } from "./path-table.ts";
import { healsByItself, isRenamedDone, isSure, sameIdentity, type Elsewhere } from "./sighting.ts";

export interface WhoseDeps {
  table: PathTable;
  files: Pick<FileSource, "look">;
  /** Bytes of a stream's file that are in S3: what its file cannot be shorter than. */
  sentBytes(id: string): number;
}

/** `but`: a stream that asks for others than itself. */
export async function whoseFile(
  path: string,
  facts: FileFacts,
  { table, files, sentBytes }: WhoseDeps,
  but?: string,
): Promise<Elsewhere | undefined> {
  for (const live of table.liveOf(facts.inode)) {
    if (live.id === but || !isLiveFile(live, facts) || facts.size < sentBytes(live.id)) continue;
    const leads = await leadsTo(live.path, live.identity, facts, files);
    if (leads !== "own") return { kind: "live", id: live.id, path: live.path, stillThere: leads === "seen" && live.path !== path };
  }
  for (const waiting of table.waitingOf(facts.inode)) {
    if (waiting.id === but || !isLiveFile(waiting, facts)) continue;
    const leads = await leadsTo(waiting.path, waiting.identity, facts, files);
    if (leads !== "own") return { kind: "waiting", id: waiting.id, path: waiting.path, stillThere: leads === "seen" };
  }
  const done = table.doneOf(facts.inode).filter((one) => one.path !== path && isRenamedDone(one.entry, facts));
  // An earlier generation of the file may have left its entry under an earlier name.
  const exact = done.find(({ entry }) => entry.file_size === facts.size && entry.file_mtime_ns === facts.mtimeNs);
  for (const { path: name, entry } of exact ? [exact] : done) {
    const leads = await leadsTo(name, identityOfDone(entry), facts, files);
    if (leads !== "own") return { kind: "done", entry, path: name, stillThere: leads === "seen" };
  }
  return await failedFile(path, facts, table, files);
}

/** Only one that heals by itself, whose path is free for it, and only where the identity proves something. */
async function failedFile(
  path: string,
  facts: FileFacts,
  table: PathTable,
  files: Pick<FileSource, "look">,
): Promise<Elsewhere | undefined> {
  for (const { path: name, stream } of table.failedOf(facts.inode)) {
    const identity = { inode: stream.file_inode ?? "", birthtimeNs: stream.file_birthtime_ns };
    if (name === path || !healsByItself(stream) || !isSure(identity, facts)) continue;
    const { live, waiting } = table.at(name);
    if (live || waiting || (await leadsTo(name, identity, facts, files)) !== "left") continue;
    return { kind: "failed", id: stream.id, path: name, stillThere: false };
  }
  return undefined;
}

function isLiveFile({ identity }: LiveFile, facts: FileFacts): boolean {
  return identity.inode !== "" && sameIdentity(identity, facts);
}

/**
 * `seen`: to the very file that was seen, which has two names then. `own`: to its own file, which only looks like that
 * one; both looks are of one boot, so the device tells them apart. `left`: that file is not there any more.
 */
async function leadsTo(
  path: string,
  own: FileIdentity,
  seen: FileFacts,
  files: Pick<FileSource, "look">,
): Promise<"seen" | "own" | "left"> {
  const look = await files.look(path);
  if (look.kind !== "file" || !sameIdentity(own, look.facts)) return "left";
  return look.facts.device === seen.device ? "seen" : "own";
}
