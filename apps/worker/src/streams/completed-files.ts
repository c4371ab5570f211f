/**
 * Handles completed files that are renamed, written again, replaced or copied back, and markers that come late. Their
 * entries in `files:done` are updated; a file with new content gets a new stream.
 */
import {
  displayPath,
  judgeChanged,
  renewedEntry,
  type CompletedVerdict,
  type DoneEntry,
  type FileFacts,
  type FileSource,
  type ProcessorDeps,
} from "@sluice/core";
import type { Watch } from "../files/watch/watch.ts";
import type { PathTable } from "./path-table.ts";
import { Rereader } from "./rereader.ts";
import { judgeKnown, mayBe, type Elsewhere } from "./sighting.ts";

/** What is needed from Redis in addition to the processors' checkpoint. */
export interface FileRegister {
  /** All at once. Resolves with what `files:done` holds now for those paths where it was not as expected. */
  moveDone(moves: readonly DoneMove[]): Promise<ReadonlyMap<string, DoneEntry | undefined>>;
  /** False if `files:done` no longer holds the entry. */
  renewDone(path: string, before: DoneEntry, after: DoneEntry): Promise<boolean>;
  removeIgnored(path: string): Promise<void>;
}

export interface DoneMove {
  from: string;
  to: string;
  /** As known here. */
  entry: DoneEntry;
  /** What is known at the new name. */
  over: DoneEntry | undefined;
  /** The file under its new name. */
  facts: FileFacts;
}

interface Seen {
  watch: Watch;
  path: string;
  facts: FileFacts;
}

export interface CompletedFilesDeps {
  table: PathTable;
  processing: Pick<ProcessorDeps, "files" | "digests" | "clock">;
  register: Pick<FileRegister, "moveDone" | "renewDone">;
  rereadBytesPerSecond: number;
  /** What has this very file under another path. */
  whose(path: string, facts: FileFacts): Promise<Elsewhere | undefined>;
  /** No new work may start. */
  draining(): boolean;
  /** While `work` runs, no sighting opens a stream for the path; `work` is skipped if one is about to. */
  alone(path: string, work: () => Promise<void>): Promise<void>;
  /** Opens a new stream. `reopened`: the entry whose object it replaces. Resolves with whether it was opened. */
  open(watch: Watch, path: string, facts: FileFacts, reopened: DoneEntry | undefined): Promise<boolean>;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

export class CompletedFiles {
  readonly #deps: CompletedFilesDeps;
  readonly #rereader: Rereader;
  readonly #lateMarkers = new LateMarkers();

  constructor(deps: CompletedFilesDeps) {
    const { processing, rereadBytesPerSecond: bytesPerSecond, log } = deps;
    this.#deps = deps;
    this.#rereader = new Rereader({ ...processing, bytesPerSecond, log });
  }

  /** Number of files that are being compared with their CRC32, or wait for it. */
  get checking(): number {
    return this.#rereader.checking;
  }

  /** Reads files again, until the signal aborts. */
  async reread(signal: AbortSignal): Promise<void> {
    await this.#rereader.run(signal);
  }

  /** Files that wait to be read are found again by a walk. */
  forgetRereads(): void {
    this.#rereader.clear();
  }

  /** Called when a file is seen at a path where a file was completed before. */
  async act(entry: DoneEntry, is: CompletedVerdict, at: Seen): Promise<void> {
    const { table, open, log } = this.#deps;
    const { watch, path, facts } = at;
    switch (is.kind) {
      case "unchanged":
        if (is.renewed === undefined) return;
        // Device numbers change with each boot and can simply be learned again; other fields must be saved.
        if (entry.file_ctime_ns === undefined) await this.#renew(path, entry, is.renewed);
        else table.setDone(path, is.renewed);
        return;
      case "reread":
        this.#rereader.add({
          path,
          facts,
          crc32: entry.crc32 ?? "",
          urgent: is.urgent,
          decided: (same) => this.#onReread(same, entry, at),
        });
        return;
      case "reopen":
        log.warn(
          { path: displayPath(path), watch: watch.name },
          "a completed file changed: a new generation begins (idle time too short?)",
        );
        return void (await open(watch, path, facts, entry));
      case "another":
        if (is.shorter) await this.seenShorter(path);
        return void (await open(watch, path, facts, undefined));
    }
  }

  /**
   * The file at the path is shorter than the completed one: from now on a file that grows there never replaces its
   * object.
   */
  async seenShorter(path: string): Promise<void> {
    const entry = this.#deps.table.done(path);
    if (entry && !entry.seen_shorter) await this.#renew(path, entry, { ...entry, seen_shorter: true });
  }

  async #onReread(same: boolean, entry: DoneEntry, at: Seen): Promise<void> {
    const { table, alone } = this.#deps;
    const { path, facts } = at;
    await alone(path, async () => {
      // A stream has it by now, or the entry moved along with its own file.
      const now = table.get(path);
      if (now?.kind !== "done" || now.entry.stream_id !== entry.stream_id) return;
      if (same) await this.#renew(path, now.entry, { ...renewedEntry(now.entry, facts) });
      else await this.act(now.entry, judgeChanged(now.entry, facts), at);
    });
  }

  /**
   * After a whole walk, files that were renamed to each other's names keep their entries, all at once. `looked`:
   * whether the walk would have found the file that was completed at that path.
   */
  async followRenames(paths: readonly string[], looked: (path: string) => boolean): Promise<void> {
    const { table, processing, whose } = this.#deps;
    const moves = new Map<string, Omit<DoneMove, "over">>();
    for (const path of paths) {
      const look = await processing.files.look(path);
      if (look.kind !== "file" || judgeKnown(table.at(path), look.facts)) continue;
      const from = await whose(path, look.facts);
      if (from?.kind === "done" && !from.stillThere)
        moves.set(from.path, { from: from.path, to: path, entry: from.entry, facts: look.facts });
    }
    const isFree = (path: string): boolean => table.done(path) === undefined || looked(path);
    await this.move(safeMoves([...moves.values()], isFree));
  }

  /** Each batch is one step: entries that move in a cycle never overwrite each other. */
  async move(moves: readonly Omit<DoneMove, "over">[]): Promise<void> {
    const { table, register } = this.#deps;
    for (const some of moveBatches(moves)) {
      const batch = some.map((move) => ({ ...move, over: table.done(move.to) }));
      const others = await register.moveDone(batch);
      if (others.size === 0) {
        table.moveDone(batch);
        for (const move of batch) await this.#takeCtimeOfRename(move);
      }
      // Another worker on the same volume changed them: the next rescan decides from the current entries.
      for (const [path, entry] of others) {
        if (entry) table.setDone(path, entry);
        else table.clearDone(path);
      }
    }
  }

  /** A rename changes the ctime and nothing else: the file need not be read again. */
  async #takeCtimeOfRename({ to, entry, facts }: DoneMove): Promise<void> {
    const { file_size: size, file_mtime_ns: mtimeNs, file_ctime_ns: ctimeNs } = entry;
    if (size !== facts.size || mtimeNs !== facts.mtimeNs || ctimeNs === facts.ctimeNs) return;
    await this.#renew(to, entry, { ...entry, file_ctime_ns: facts.ctimeNs });
  }

  async #renew(path: string, before: DoneEntry, after: DoneEntry): Promise<void> {
    const { table, register } = this.#deps;
    const kept = await register.renewDone(path, before, after);
    if (kept && table.done(path)?.stream_id === before.stream_id) table.setDone(path, after);
  }

  /** Its stream should have deleted or moved the file, but could not see whether a process may still write it. */
  keep(path: string, id: string, watch: Watch): void {
    this.#lateMarkers.keep(path, id, watch);
  }

  /**
   * A marker came after its file was completed and kept: the file gets one more stream, which finds its bytes in S3 and
   * tidies the file as usual.
   */
  async checkMarkers(): Promise<void> {
    const { table, processing, draining, alone, open, log } = this.#deps;
    for await (const { path, watch, entry, facts } of this.#lateMarkers.come(table, processing.files)) {
      if (draining()) continue;
      await alone(path, async () => {
        if (await open(watch, path, facts, entry))
          log.info({ path: displayPath(path) }, "a marker was found for a completed file that was kept");
      });
    }
  }
}

interface Move {
  from: string;
  to: string;
}

/** Moves sent to Redis at once, unless a chain or cycle would be split. */
const BATCH = 500;

/**
 * Moves to names that are free, or that another move frees. `isFree`: there is no entry under the name, or its file is
 * known to be gone; the file of any other entry may be found later.
 */
export function safeMoves<M extends Move>(moves: readonly M[], isFree: (path: string) => boolean): M[] {
  for (let safe = [...moves]; ;) {
    const left = new Set(safe.map(({ from }) => from));
    const still = safe.filter(({ to }) => left.has(to) || isFree(to));
    if (still.length === safe.length) return still;
    safe = still;
  }
}

/** Every chain and cycle is within one batch. Each name is left once and taken once. */
export function moveBatches<M extends Move>(moves: readonly M[]): M[][] {
  const leaving = new Map(moves.map((move) => [move.from, move]));
  const taking = new Map(moves.map((move) => [move.to, move]));
  const batches: M[][] = [];
  let batch: M[] = [];
  while (leaving.size > 0) {
    const [some] = leaving.values();
    if (!some) break;
    let first = some;
    // Back to the beginning of the chain, or once around the cycle.
    for (let before = taking.get(first.from); before && before !== some; before = taking.get(first.from))
      first = before;
    for (let next: M | undefined = first; next && leaving.delete(next.from); next = leaving.get(next.to))
      batch.push(next);
    if (batch.length < BATCH) continue;
    batches.push(batch);
    batch = [];
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

/** Maximum number of files, the latest ones, whose markers are checked; the others stay where they are. */
const MOST = 1_000;

interface Marked {
  path: string;
  watch: Watch;
  entry: DoneEntry;
  facts: FileFacts;
}

/**
 * Completed files that should have been deleted or moved but were kept, because they were complete only by being idle
 * and their writers cannot be seen. A marker may come later than the delay, and proves that they are complete.
 */
export class LateMarkers {
  readonly #kept = new Map<string, { id: string; watch: Watch }>();

  keep(path: string, id: string, watch: Watch): void {
    this.#kept.delete(path);
    this.#kept.set(path, { id, watch });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST && oldest !== undefined) this.#kept.delete(oldest);
  }

  /** Files that are unchanged since their completion and now have a marker that is not older than their last write. */
  async *come(
    table: Pick<PathTable, "get">,
    files: Pick<FileSource, "look" | "marker">,
  ): AsyncGenerator<Marked> {
    for (const [path, { id, watch }] of this.#kept) {
      const known = table.get(path);
      if (known?.kind === "live") continue;
      if (known?.kind !== "done" || known.entry.stream_id !== id) {
        // Another stream completed it since, or it no longer exists.
        this.#kept.delete(path);
        continue;
      }
      const { entry } = known;
      const markedNs = await files.marker(path);
      if (markedNs === undefined || BigInt(markedNs) < BigInt(entry.file_mtime_ns)) continue;
      const look = await files.look(path);
      // A changed file is handled when it is next sighted.
      if (look.kind === "file" && isAsCompleted(entry, look.facts))
        yield { path, watch, entry, facts: look.facts };
    }
  }
}

function isAsCompleted(entry: DoneEntry, facts: FileFacts): boolean {
  return mayBe(entry, facts) && entry.file_size === facts.size && entry.file_mtime_ns === facts.mtimeNs;
}
