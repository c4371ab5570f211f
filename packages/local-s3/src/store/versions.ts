/**
 * Versions of keys, for a bucket that keeps them all: an imitation for tests, in memory. Nothing is forgotten by a write
 * or a plain delete; only a delete that names a version removes one.
 */
import { newContentId } from "./ids.ts";
import type { StoredObject } from "./records.ts";

export interface Version {
  readonly key: string;
  readonly id: string;
  readonly modifiedMs: number;
  /** Absent: a delete marker. */
  readonly object?: StoredObject;
}

export class Versions {
  /** Newest first, by bucket and key. */
  readonly #byName = new Map<string, Version[]>();

  /** Returns the id of the new version. `object` absent: a delete marker. */
  add(bucket: string, key: string, modifiedMs: number, object?: StoredObject): string {
    const id = newContentId(modifiedMs);
    const version = { key, id, modifiedMs, ...(object !== undefined && { object }) };
    this.#byName.set(nameOf(bucket, key), [version, ...this.of(bucket, key)]);
    return id;
  }

  of(bucket: string, key: string): readonly Version[] {
    return this.#byName.get(nameOf(bucket, key)) ?? [];
  }

  /** Returns what was removed, and the newest version now. */
  remove(bucket: string, key: string, id: string): { removed?: Version; newest?: Version } {
    const before = this.of(bucket, key);
    const removed = before.find((version) => version.id === id);
    const after = before.filter((version) => version !== removed);
    this.#byName.set(nameOf(bucket, key), after);
    return { ...(removed && { removed }), ...(after[0] && { newest: after[0] }) };
  }

  /** By key, newest first. */
  list(bucket: string, prefix: string): readonly (Version & { latest: boolean })[] {
    const keys = [...this.#byName.keys()]
      .filter((name) => name.startsWith(nameOf(bucket, prefix)))
      .toSorted();
    return keys.flatMap((name) =>
      (this.#byName.get(name) ?? []).map((version, at) => ({ ...version, latest: at === 0 })),
    );
  }
}

function nameOf(bucket: string, key: string): string {
  return `${bucket}/${key}`;
}
