/**
 * What this worker knows about the files of its source, in memory: which are live, done, failed or ignored, by path and
 * by identity. Redis is authoritative; this table is filled from it at start and follows every change that this worker
 * makes or reads. A live entry is stored under the path in its record, and is removed when its stream ends, whatever
 * the path is then.
 */
import type { DoneEntry, KnownFile, ObjectRef, SourceState, StreamRecord } from "@sluice/core";
import { DoneTable } from "./done-table.ts";

/** Identity, size and mtime at the time of the purge; an absent field matches any file. */
export interface IgnoredFile {
  file_inode?: string | undefined;
  file_birthtime_ns?: string | undefined;
  file_size?: number | undefined;
  file_mtime_ns?: string | undefined;
}

export interface FailedFile extends KnownFile {
  id: string;
  reason: string;
  status: string;
  /** Bytes of it that are in S3. */
  bytes_sent: number;
  /** As Redis says, as far as is known here. */
  source_state?: SourceState | undefined;
  /** Since it failed, a walk found no file at its path. */
  wasGone?: boolean | undefined;
}

/** A stream with a path: one that runs here, or will be taken over here later. */
export interface LiveFile {
  id: string;
  path: string;
  file: KnownFile;
}

export type Known =
  | { kind: "live"; id: string }
  /** Live, but not run here: another worker holds it, or it waits for a takeover. */
  | { kind: "waiting"; id: string }
  | { kind: "done"; entry: DoneEntry }
  | { kind: "failed"; stream: FailedFile }
  | { kind: "ignored"; file: IgnoredFile };

/** Everything known about one path. Several may be set: a file was replaced, or completed before. */
export interface AtPath {
  live: LiveFile | undefined;
  waiting: LiveFile | undefined;
  failed: FailedFile | undefined;
  ignored: IgnoredFile | undefined;
  done: DoneEntry | undefined;
}

export class PathTable {
  readonly #live = new Map<string, LiveFile>();
  /** Path → id. If two streams briefly have the same path, the one that holds it in Redis. */
  readonly #liveAt = new Map<string, string>();
  readonly #liveInodes = new InodeIndex();
  #waiting = new Map<string, LiveFile>();
  #waitingInodes = new InodeIndex();
  readonly #done = new DoneTable();
  readonly #doneInodes = new InodeIndex();
  readonly #failed = new Map<string, FailedFile>();
  readonly #failedInodes = new InodeIndex();
  readonly #ignored = new Map<string, IgnoredFile>();

  get(path: string): Known | undefined {
    const { live, waiting, failed, ignored, done } = this.at(path);
    if (live) return { kind: "live", id: live.id };
    if (waiting) return { kind: "waiting", id: waiting.id };
    if (failed) return { kind: "failed", stream: failed };
    if (ignored) return { kind: "ignored", file: ignored };
    return done && { kind: "done", entry: done };
  }

  at(path: string): AtPath {
    return {
      live: this.#live.get(this.#liveAt.get(path) ?? ""),
      waiting: this.#waiting.get(path),
      failed: this.#failed.get(path),
      ignored: this.#ignored.get(path),
      done: this.#done.get(path),
    };
  }

  /** Whether all that is known of the path is a completed file. */
  isOnlyDone(path: string): boolean {
    if (!this.#done.has(path) || this.#liveAt.has(path) || this.#waiting.has(path)) return false;
    return !this.#failed.has(path) && !this.#ignored.has(path);
  }

  /** Live streams whose file has this inode number. */
  liveOf(inode: string): LiveFile[] {
    return this.#liveInodes.get(inode).flatMap((id) => this.#live.get(id) ?? []);
  }

  waitingOf(inode: string): LiveFile[] {
    return this.#waitingInodes.get(inode).flatMap((path) => this.#waiting.get(path) ?? []);
  }

  doneOf(inode: string): { path: string; entry: DoneEntry }[] {
    return this.#doneInodes.get(inode).flatMap((path) => {
      const entry = this.#done.get(path);
      return entry ? [{ path, entry }] : [];
    });
  }

  failedOf(inode: string): { path: string; stream: FailedFile }[] {
    return this.#failedInodes.get(inode).flatMap((path) => {
      const stream = this.#failed.get(path);
      return stream ? [{ path, stream }] : [];
    });
  }

  live(): IterableIterator<LiveFile> {
    return this.#live.values();
  }

  liveById(id: string): LiveFile | undefined {
    return this.#live.get(id);
  }

  done(path: string): DoneEntry | undefined {
    return this.#done.get(path);
  }

  setLive(path: string, id: string, file: KnownFile): void {
    this.clearLive(id);
    this.#live.set(id, { id, path, file });
    this.#liveAt.set(path, id);
    this.#liveInodes.add(file.file_inode, id);
    this.#waiting.delete(path);
    this.clearFailed(path);
    this.#ignored.delete(path);
  }

  /**
   * Where only its path identifies a file of which nothing was sent, a stream takes up another file at its path. The one
   * that it had before is not its file any longer, and must not wait for it.
   */
  takeUpFile(record: StreamRecord): void {
    const { id, original_path: path, file_inode: inode } = record;
    const live = this.#live.get(id);
    if (live?.path === path && live.file.file_inode !== inode) this.setLive(path, id, fileOfRecord(record));
  }

  /** The stream ended, or another worker owns it. */
  clearLive(id: string): void {
    const live = this.#live.get(id);
    if (!live) return;
    this.#live.delete(id);
    this.#liveInodes.remove(live.file.file_inode, id);
    if (this.#liveAt.get(live.path) === id) this.#liveAt.delete(live.path);
  }

  /** All live streams of the source that are not run here, as just read. */
  setWaiting(streams: readonly LiveFile[]): void {
    this.#waiting = new Map();
    this.#waitingInodes = new InodeIndex();
    this.addWaiting(streams);
  }

  addWaiting(streams: readonly LiveFile[]): void {
    for (const stream of streams) {
      if (this.#live.has(stream.id)) continue;
      this.#waiting.set(stream.path, stream);
      this.#waitingInodes.add(stream.file.file_inode, stream.path);
    }
  }

  setDone(path: string, entry: DoneEntry): void {
    this.clearDone(path);
    this.#done.set(path, entry);
    this.#doneInodes.add(entry.file_inode, path);
  }

  clearDone(path: string): void {
    const before = this.#done.get(path);
    if (!before) return;
    this.#done.delete(path);
    this.#doneInodes.remove(before.file_inode, path);
  }

  /** Entries of renamed files, as they were read: entries that have changed since then stay. */
  moveDone(moves: readonly { from: string; to: string; entry: DoneEntry }[]): void {
    const moved = moves.map(({ from, to, entry }) => {
      const now = this.#done.get(from);
      return { from, to, entry, now: now?.stream_id === entry.stream_id ? now : undefined };
    });
    for (const { from, now } of moved) if (now) this.clearDone(from);
    for (const { to, entry, now } of moved) this.setDone(to, now ?? entry);
  }

  setFailed(path: string, stream: FailedFile): void {
    this.clearFailed(path);
    this.#failed.set(path, stream);
    this.#failedInodes.add(stream.file_inode, path);
  }

  clearFailed(path: string): void {
    const before = this.#failed.get(path);
    if (!before) return;
    this.#failed.delete(path);
    this.#failedInodes.remove(before.file_inode, path);
  }

  setIgnored(path: string, file: IgnoredFile): void {
    this.clearFailed(path);
    this.#ignored.set(path, file);
  }

  clearIgnored(path: string): void {
    this.#ignored.delete(path);
  }

  failed(): IterableIterator<[string, FailedFile]> {
    return this.#failed.entries();
  }

  /**
   * What Redis holds now, replaced in one step, so that no walk meets a file that is briefly unknown. Live paths stay.
   */
  replaceFiles(done: ReadonlyMap<string, DoneEntry>, ignored: ReadonlyMap<string, IgnoredFile>): void {
    for (const files of [this.#done, this.#doneInodes, this.#ignored]) files.clear();
    for (const [path, entry] of done) this.setDone(path, entry);
    for (const [path, file] of ignored) this.#ignored.set(path, file);
  }

  doneEntries(): ReadonlyMap<string, DoneEntry> {
    return new Map(this.#done.entries());
  }

  /** Whether a completed file at another path owns this object: it was renamed since. */
  keepsObject(ref: ObjectRef, path: string): boolean {
    return this.#done.keeps(ref, path);
  }

  donePaths(): IterableIterator<string> {
    return this.#done.paths();
  }
}

/** Inode number → names that have it. Nearly always one; numbers repeat across volumes and are reused. */
class InodeIndex {
  readonly #names = new Map<string, string | Set<string>>();

  get(inode: string): string[] {
    const held = this.#names.get(inode);
    if (held === undefined) return [];
    return typeof held === "string" ? [held] : [...held];
  }

  /** An unknown number is ignored. */
  add(inode: string | undefined, name: string): void {
    if (inode === undefined) return;
    const held = this.#names.get(inode);
    if (held === undefined) this.#names.set(inode, name);
    else if (typeof held !== "string") held.add(name);
    else if (held !== name) this.#names.set(inode, new Set([held, name]));
  }

  remove(inode: string | undefined, name: string): void {
    if (inode === undefined) return;
    const held = this.#names.get(inode);
    if (held === name) this.#names.delete(inode);
    if (typeof held === "string" || held === undefined) return;
    held.delete(name);
    if (held.size === 0) this.#names.delete(inode);
  }

  clear(): void {
    this.#names.clear();
  }
}

/** A failed stream, as its record says. */
export function failedFile(record: StreamRecord, reason: string): FailedFile {
  const { id, status, bytes_sent, source_state, file_size } = record;
  return { id, reason, status, bytes_sent, source_state, ...fileOfRecord(record), file_size };
}

/** The identity of a file according to its record. Size and mtime of a live file are out of date. */
export function fileOfRecord(record: StreamRecord): KnownFile {
  const { file_inode, file_birthtime_ns, file_device, file_boot } = record;
  return { file_inode, file_birthtime_ns, file_device, file_boot };
}
