/** What Redis knows of this source's files, read once at start: completed, purged and failed ones. */
import type { StreamId } from "@sluice/core";
import type { FilesDone, IgnoredFiles, StreamReader } from "@sluice/redis-schema";
import type { PathTable } from "./path-table.ts";

export interface SourceReaders {
  done: FilesDone;
  ignored: IgnoredFiles;
  reader: StreamReader;
}

export async function loadSourceState(table: PathTable, source: string, readers: SourceReaders): Promise<void> {
  const [done, ignored] = await Promise.all([readers.done.load(source), readers.ignored.load(source)]);
  for (const [path, entry] of done) table.setDone(path, entry);
  for (const [path, entry] of ignored) table.setIgnored(path, entry);
  await loadFailed(table, source, readers.reader);
}

/** A file whose stream failed is not opened anew by a rescan; superseded streams stand for nothing any more. */
export async function loadFailed(table: PathTable, source: string, reader: StreamReader): Promise<void> {
  const ids = (await reader.ids("failed")) as StreamId[];
  for (let at = 0; at < ids.length; at += CHUNK) {
    for (const { parsed } of await reader.records(ids.slice(at, at + CHUNK))) {
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

const CHUNK = 500;
