/** Which stream or entry has a file that is seen at a path where nothing known is this file. */
import { sameFile, type FileFacts, type FileSource, type KnownFile } from "@sluice/core";
import type { PathTable } from "./path-table.ts";
import { healsByItself, type Elsewhere } from "./sighting.ts";

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
    if (name === path || !healsByItself(stream)) continue;
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
