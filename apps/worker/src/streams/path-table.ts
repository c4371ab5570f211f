/**
 * What this worker knows of the paths of its source, in memory: which are live, done, failed or ignored. Redis is the
 * truth; this table is filled from it at start and follows every change this worker makes or reads.
 */
import type { DoneEntry, FileFacts, ObjectRef, StreamRecord } from "@sluice/core";

export interface FileIdentity {
  inode: string;
  birthtimeNs?: string | undefined;
}

/** Identity, size and mtime as they were when the file was purged; an absent field matches any file. */
export interface IgnoredFile {
  file_inode?: string | undefined;
  file_birthtime_ns?: string | undefined;
  file_size?: number | undefined;
  file_mtime_ns?: string | undefined;
}

export interface FailedFile {
  id: string;
  reason: string;
  file_inode?: string | undefined;
  file_birthtime_ns?: string | undefined;
}

export type Known =
  | { kind: "live"; id: string }
  | { kind: "done"; entry: DoneEntry }
  | { kind: "failed"; stream: FailedFile }
  | { kind: "ignored"; file: IgnoredFile };

export class PathTable {
  readonly #live = new Map<string, { id: string; identity: FileIdentity }>();
  readonly #done = new Map<string, DoneEntry>();
  readonly #failed = new Map<string, FailedFile>();
  readonly #ignored = new Map<string, IgnoredFile>();
  /** Identity → path, for renames. */
  readonly #livePaths = new Map<string, string>();
  readonly #donePaths = new Map<string, string>();

  get(path: string): Known | undefined {
    const live = this.#live.get(path);
    if (live) return { kind: "live", id: live.id };
    const failed = this.#failed.get(path);
    if (failed) return { kind: "failed", stream: failed };
    const ignored = this.#ignored.get(path);
    if (ignored) return { kind: "ignored", file: ignored };
    const done = this.#done.get(path);
    return done && { kind: "done", entry: done };
  }

  livePathOf(identity: FileIdentity): string | undefined {
    return this.#livePaths.get(identityKey(identity));
  }

  donePathOf(identity: FileIdentity): string | undefined {
    return this.#donePaths.get(identityKey(identity));
  }

  done(path: string): DoneEntry | undefined {
    return this.#done.get(path);
  }

  setLive(path: string, id: string, identity: FileIdentity): void {
    this.clearLive(path);
    this.#live.set(path, { id, identity });
    this.#livePaths.set(identityKey(identity), path);
    this.#failed.delete(path);
    this.#ignored.delete(path);
  }

  /** With `id`, only when the path is still that stream's. */
  clearLive(path: string, id?: string): void {
    const before = this.#live.get(path);
    if (!before || (id !== undefined && before.id !== id)) return;
    this.#live.delete(path);
    const key = identityKey(before.identity);
    if (this.#livePaths.get(key) === path) this.#livePaths.delete(key);
  }

  setDone(path: string, entry: DoneEntry): void {
    this.clearDone(path);
    this.#done.set(path, entry);
    this.#donePaths.set(identityKey(identityOfDone(entry)), path);
  }

  clearDone(path: string): void {
    const before = this.#done.get(path);
    if (!before) return;
    this.#done.delete(path);
    const key = identityKey(identityOfDone(before));
    if (this.#donePaths.get(key) === path) this.#donePaths.delete(key);
  }

  setFailed(path: string, stream: FailedFile): void {
    this.#failed.set(path, stream);
  }

  clearFailed(path: string): void {
    this.#failed.delete(path);
  }

  setIgnored(path: string, file: IgnoredFile): void {
    this.#failed.delete(path);
    this.#ignored.set(path, file);
  }

  clearIgnored(path: string): void {
    this.#ignored.delete(path);
  }

  failed(): IterableIterator<[string, FailedFile]> {
    return this.#failed.entries();
  }

  /** Live paths stay: their streams tell their own ends. */
  forgetFiles(): void {
    for (const files of [this.#done, this.#donePaths, this.#failed, this.#ignored]) files.clear();
  }

  /** Whether a completed file at another path has its object there: it was renamed since. */
  keepsObject({ bucket, key }: ObjectRef, path: string): boolean {
    for (const [other, entry] of this.#done) {
      if (other !== path && entry.s3_key === key && entry.s3_bucket === bucket) return true;
    }
    return false;
  }

  donePaths(): IterableIterator<string> {
    return this.#done.keys();
  }
}

export function identityOf(facts: FileFacts): FileIdentity {
  return { inode: facts.inode, birthtimeNs: facts.birthtimeNs };
}

export function identityOfDone(entry: DoneEntry): FileIdentity {
  return { inode: entry.file_inode, birthtimeNs: entry.file_birthtime_ns };
}

export function identityOfRecord(record: StreamRecord): FileIdentity {
  return { inode: record.file_inode ?? "", birthtimeNs: record.file_birthtime_ns };
}

function identityKey(identity: FileIdentity): string {
  return `${identity.inode}:${identity.birthtimeNs ?? ""}`;
}
