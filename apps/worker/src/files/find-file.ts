/**
 * Answers a stream whose path no longer leads to its file: only a walk over the whole watch, and over the others, can
 * find it. Each answer is checked once more before it is given, because the file may have moved again meanwhile.
 */
import {
  CheckpointError,
  sameFile,
  type FileFacts,
  type FileSource,
  type Place,
  type StreamRecord,
  type Whereabouts,
} from "@sluice/core";
import { watchOf } from "../takeover/recoverer.ts";
import type { Supervisor } from "../streams/supervisor.ts";
import type { Watch } from "./watch/watch.ts";
import type { WatchRunner } from "./watch/watch-runner.ts";

export interface FinderDeps {
  files: Pick<FileSource, "look" | "lookFresh">;
  supervisor: Pick<Supervisor, "sightedAt" | "unsight" | "holderOf" | "table" | "running">;
  runners: readonly Pick<WatchRunner, "watch" | "rescan" | "state">[];
  placeOf(watch: Watch, path: string): Place;
}

export async function findFile(
  record: StreamRecord,
  deps: FinderDeps,
  signal: AbortSignal,
): Promise<Whereabouts> {
  const { runners } = deps;
  const own = runnerOf(runners, record.original_path);
  if (!own) return { kind: "offline", detail: "no watch covers its file" };
  const known = await found(record, deps);
  if (known && !(known.kind === "renamed" && coversDone(known.path, record, deps))) return known;
  // During a walk, a rename may move the file from a part not walked yet to one already walked. As long as nothing was
  // sent, the next sighting starts the stream again and nothing is lost.
  const again = record.status === "opening" ? [] : [own];
  for (const runner of [own, ...again, ...runners.filter((one) => one !== own)]) {
    try {
      await runner.rescan(signal);
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      return {
        kind: "offline",
        detail: "whether it was renamed cannot be determined while Redis does not answer",
      };
    }
    if (own.state.state === "offline") return { kind: "offline", detail: own.state.detail };
    const now = await found(record, deps);
    if (now) return now;
  }
  return await instead(record, deps);
}

/**
 * Another file was completed under that name. Its entry is about to be overwritten, so a walk looks for that file
 * first.
 */
function coversDone(path: string, { file_inode: inode }: StreamRecord, { supervisor }: FinderDeps): boolean {
  const done = supervisor.table.done(path);
  return done !== undefined && done.file_inode !== inode;
}

async function found(record: StreamRecord, deps: FinderDeps): Promise<Whereabouts | undefined> {
  const { files, supervisor } = deps;
  const { original_path: before } = record;
  const here = await files.look(before);
  // An unreadable file is not gone: the stream handles the error itself.
  if (here.kind === "unreadable") return { kind: "back" };
  if (here.kind === "file" && leadsBack(record, here.facts)) return { kind: "back" };
  const path = supervisor.sightedAt(record.id);
  if (path === undefined) return undefined;
  const look = await files.look(path);
  if (look.kind !== "file" || !isIt(record, look.facts)) {
    supervisor.unsight(record.id);
    return undefined;
  }
  const [from, to] = [before, path].map((one) => runnerOf(deps.runners, one)?.watch);
  if (to && from !== to) return { kind: "moved", to: deps.placeOf(to, path), facts: look.facts };
  const holder = supervisor.table.at(path).live?.id;
  const displaced = supervisor.running.get(holder ?? "")?.processor.record.id;
  return { kind: "renamed", path, ...(displaced === record.id ? {} : { displaces: displaced }) };
}

/**
 * The file was found nowhere. Reports what is at its path now, and whether a stream already has it or another stream
 * has this very file.
 */
async function instead(record: StreamRecord, { files, supervisor }: FinderDeps): Promise<Whereabouts> {
  for (const { id, path, file } of supervisor.table.liveOf(record.file_inode ?? "")) {
    const running = supervisor.running.get(id)?.processor.record;
    if (!running || id === record.id || record.file_inode !== file.file_inode) continue;
    const look = await files.look(path);
    if (look.kind === "file" && isIt(record, look.facts)) return { kind: "overtaken", by: running.id };
  }
  // Through a directory that was swapped for a link another file is seen that is none of the watch: opened, it says so.
  const here = await files.lookFresh(record.original_path);
  if (here.kind === "unreadable") return { kind: "back" };
  if (here.kind !== "file") return { kind: "missing" };
  const by = await supervisor.holderOf(record.original_path, here.facts, record.id);
  return by === undefined ? { kind: "replaced", facts: here.facts } : { kind: "overtaken", by };
}

function leadsBack(record: StreamRecord, facts: FileFacts): boolean {
  const same = sameFile(record, facts, { at: "its_path", sentBytes: record.bytes_sent });
  return (
    same.kind === "same" || (same.kind === "ask_bytes" && (record.file_inode ?? facts.inode) === facts.inode)
  );
}

function isIt(record: StreamRecord, facts: FileFacts): boolean {
  return sameFile(record, facts, { at: "another_path", sentBytes: record.bytes_sent }).kind !== "other";
}

function runnerOf<R extends { readonly watch: Watch }>(runners: readonly R[], path: string): R | undefined {
  const watch = watchOf(
    runners.map((one) => one.watch),
    path,
  );
  return runners.find((one) => one.watch === watch);
}
