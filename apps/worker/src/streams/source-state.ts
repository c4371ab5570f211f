/** What Redis knows of this source's files, read once at start: completed, purged and failed ones. */
import {
  FilesDone,
  IgnoredFiles,
  convertIndexes,
  indexedIds,
  loadStreams,
  type SchemaContext,
} from "@sluice/redis-schema";
import type { PathTable } from "./path-table.ts";

export async function loadSourceState(
  table: PathTable,
  source: string,
  context: SchemaContext,
): Promise<void> {
  const [done, ignored] = await Promise.all([
    new FilesDone(context).load(source),
    new IgnoredFiles(context).load(source),
  ]);
  for (const [path, entry] of done) table.setDone(path, entry);
  for (const [path, entry] of ignored) table.setIgnored(path, entry);
  await loadFailed(table, source, context);
}

/** A file whose stream failed is not opened anew by a rescan; superseded streams stand for nothing any more. */
export async function loadFailed(table: PathTable, source: string, context: SchemaContext): Promise<void> {
  const ids = await indexedIds(context, "failed");
  for await (const chunk of loadStreams(context, ids, { parts: false })) {
    for (const { parsed } of chunk) {
      if (parsed.kind !== "record" || parsed.record.source !== source) continue;
      const { record } = parsed;
      if (record.superseded_by !== undefined) continue;
      table.setFailed(record.original_path, {
        id: record.id,
        reason: record.failure_reason ?? "",
        file_inode: record.file_inode,
        file_birthtime_ns: record.file_birthtime_ns,
      });
    }
  }
}

/**
 * Failed streams that are gone from Redis were purged, by whom and wherever: their files are judged by their marks in
 * `files:ignored` from now on. One read when nothing was purged.
 */
export async function forgetPurged(table: PathTable, source: string, context: SchemaContext): Promise<void> {
  const failedIds = new Set<string>(await indexedIds(context, "failed"));
  const purged = [...table.failed()].filter(([, stream]) => !failedIds.has(stream.id));
  if (purged.length === 0) return;
  const marks = await new IgnoredFiles(context).load(source);
  for (const [path] of purged) {
    const mark = marks.get(path);
    table.clearFailed(path);
    if (mark) table.setIgnored(path, mark);
  }
}

/** Plain sets of an earlier phase become sorted sets; anything else under an index's name is not ours to touch. */
export async function refuseForeignIndexes(context: SchemaContext): Promise<void> {
  for (const outcome of await convertIndexes(context)) {
    if (outcome.kind !== "foreign") continue;
    throw new Error(`the index ${outcome.index} is a ${outcome.type}: choose another SLUICE_KEY_PREFIX`);
  }
}
