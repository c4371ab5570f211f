/** What Redis knows about this source's files, read once at start: completed, purged and failed ones. */
import { CheckpointError, type DoneEntry } from "@sluice/core";
import {
  FilesDone,
  IgnoredFiles,
  convertIndexes,
  indexedIds,
  loadStreams,
  wrongType,
  type SchemaContext,
} from "@sluice/redis-schema";
import { failedFile, type PathTable } from "../streams/path-table.ts";

export async function loadSourceState(
  table: PathTable,
  source: string,
  context: SchemaContext,
): Promise<void> {
  const [done, ignored] = await Promise.all([
    new FilesDone(context).load(source),
    new IgnoredFiles(context).load(source),
  ]);
  table.replaceFiles(done, ignored);
}

/**
 * As `loadSourceState`, after Redis was emptied or restored from an older state: completed files that it lost are
 * written back.
 */
export async function restoreSourceState(
  table: PathTable,
  source: string,
  context: SchemaContext,
): Promise<void> {
  const files = new FilesDone(context);
  const [done, ignored] = await Promise.all([files.load(source), new IgnoredFiles(context).load(source)]);
  const { all, put, moved } = mergeDone(done, table.doneEntries());
  table.replaceFiles(all, ignored);
  for (let from = 0; from < put.length; from += WRITTEN_AT_ONCE)
    await files.put(source, put.slice(from, from + WRITTEN_AT_ONCE));
  await files.remove(source, moved);
}

/** Entries in one command. */
const WRITTEN_AT_ONCE = 1_000;

/**
 * Which files of the source have a failed stream; a walk does not open new streams for them. Kept up to date from
 * Redis, because other workers fail streams too, and dashboards purge them. One read per round if nothing changed.
 */
export class FailedFiles {
  readonly #table: PathTable;
  readonly #source: string;
  readonly #context: SchemaContext;
  /** Every failed stream read so far, including those of other sources and superseded ones. */
  #known = new Set<string>();

  constructor(table: PathTable, source: string, context: SchemaContext) {
    this.#table = table;
    this.#source = source;
    this.#context = context;
  }

  /** Redis lost data: each of its failed streams is read again. */
  async startOver(): Promise<void> {
    this.#known = new Set();
    await this.catchUp();
  }

  async catchUp(): Promise<void> {
    // An entry that was in the table before the read must be in what was read, or it is gone; later failures come next
    // round.
    const before = [...this.#table.failed()];
    const ids = await indexedIds(this.#context, "failed");
    const now = new Set<string>(ids);
    await this.#add(ids.filter((id) => !this.#known.has(id)));
    await this.#forget(before.filter(([, stream]) => !now.has(stream.id)).map(([path]) => path));
    this.#known = now;
  }

  async #add(ids: readonly string[]): Promise<void> {
    for await (const chunk of loadStreams(this.#context, ids, { parts: false })) {
      for (const { parsed } of chunk) {
        if (parsed.kind !== "record") continue;
        const { source, superseded_by, original_path: path, failure_reason: reason = "" } = parsed.record;
        // Superseded streams no longer block their path.
        if (source !== this.#source || superseded_by !== undefined) continue;
        this.#table.setFailed(path, failedFile(parsed.record, reason));
      }
    }
  }

  /** Retried or purged, anywhere: from now on a purged file is decided by its mark in `files:ignored`. */
  async #forget(paths: readonly string[]): Promise<void> {
    if (paths.length === 0) return;
    const marks = await new IgnoredFiles(this.#context).load(this.#source);
    for (const path of paths) {
      const mark = marks.get(path);
      this.#table.clearFailed(path);
      if (mark) this.#table.setIgnored(path, mark);
    }
  }
}

/**
 * Plain sets of an early version are converted to sorted sets. Any other type under an index's name must not be
 * changed: its writer must remove it, and the start waits for that.
 */
export async function convertOldIndexes(context: SchemaContext): Promise<void> {
  for (const outcome of await convertIndexes(context)) {
    if (outcome.kind !== "foreign") continue;
    throw new CheckpointError(wrongType(context.keys.index(outcome.index), outcome.type, "zset"));
  }
}

/**
 * Completed files according to a Redis that was restored from an older state, merged with those that this worker
 * remembers. If both have an entry for a path, the later completion counts; an entry that this worker moved with its
 * renamed file is not kept at its old path.
 */
export interface MergedDone {
  all: Map<string, DoneEntry>;
  /** What Redis has lost. */
  put: { path: string; entry: DoneEntry }[];
  /** Paths under which Redis still has an entry that was moved. */
  moved: string[];
}

export function mergeDone(
  inRedis: ReadonlyMap<string, DoneEntry>,
  remembered: ReadonlyMap<string, DoneEntry>,
): MergedDone {
  const all = new Map(inRedis);
  const put: MergedDone["put"] = [];
  for (const [path, entry] of remembered) {
    const there = inRedis.get(path);
    if (there && there.completed_at_utc >= entry.completed_at_utc) continue;
    all.set(path, entry);
    put.push({ path, entry });
  }
  // Only entries that were put under their new path: one that both know may have been moved back by another worker.
  const placed = new Set(put.map(({ entry }) => entry.stream_id));
  const moved: string[] = [];
  for (const [path, entry] of inRedis) {
    if (!placed.has(entry.stream_id) || remembered.has(path)) continue;
    all.delete(path);
    moved.push(path);
  }
  return { all, put, moved };
}
