/**
 * The root of a watch was renamed, and it is configured under its new name: by its inode and birth time it is the same
 * directory, so it is the same watch, and its live streams go on under their keys. A file that moved from a watch that is
 * configured no more into another directory is a new stream there.
 */
import { displayPath, kindOf, patched, sameFile, type FileSource, type StreamRecord } from "@sluice/core";
import { WatchStore, type SchemaContext, type StreamStore } from "@sluice/redis-schema";
import type { Watch } from "./watch.ts";
import type { WatchDeps } from "./watch-runner.ts";

export interface RenamedRootDeps extends Pick<WatchDeps, "rootIdentity"> {
  context: SchemaContext;
  source: string;
  watches: readonly Watch[];
  files: Pick<FileSource, "look">;
}

export interface UnderNewRoot {
  watch: Watch;
  path: string;
}

/** Where the file of a stream that no watch covers is now. */
export async function underRenamedRoot(
  record: StreamRecord,
  deps: RenamedRootDeps,
): Promise<UnderNewRoot | undefined> {
  const read = await new WatchStore(deps.context).load(deps.source, record.watch);
  if (read.kind !== "ok" || read.value.root_inode === undefined) return undefined;
  const { root, root_inode: inode, root_birthtime_ns: birthtimeNs } = read.value;
  if (!record.original_path.startsWith(`${root}/`)) return undefined;
  for (const watch of deps.watches) {
    const now = await deps.rootIdentity(watch.root);
    if (now?.inode !== inode || now.birthtimeNs !== birthtimeNs) continue;
    const path = watch.root + record.original_path.slice(root.length);
    const look = await deps.files.look(path);
    if (look.kind !== "file") continue;
    const is = sameFile(record, look.facts, { at: "its_path", sentBytes: record.bytes_sent }).kind;
    if (is !== "other") return { watch, path };
  }
  return undefined;
}

/** The claimed record under its new path; undefined when another stream has that, or somebody else has the record. */
export async function moveUnder(
  record: StreamRecord,
  { watch, path }: UnderNewRoot,
  store: Pick<StreamStore, "rename">,
): Promise<StreamRecord | undefined> {
  const kind = kindOf(record.status);
  if (kind === undefined) return undefined;
  const patch = { watch: watch.name };
  const outcome = await store.rename(record, path, {
    from: [kind],
    patch,
    log: [`the root of its watch was renamed: its file is ${displayPath(path)} now`],
    event: { type: "log", detail: "renamed" },
  });
  if (outcome.kind !== "written") return undefined;
  return { ...patched(record, { ...patch, original_path: path }), revision: record.revision + 1 };
}
