/** Finished objects: a key has one object or none, and it changes from one to the next in a single transaction. */
import type { Blobs } from "./blobs.ts";
import type { Blob } from "./blobs.ts";
import type { Contents, Freed } from "./contents.ts";
import type { Database, Statement } from "./database.ts";
import { type Listable, listPage, type Listed, type ListQuery, pastKey, pastPrefix } from "./listing.ts";
import { type StoredObject, type StoredPart, toObject } from "./records.ts";
import type { Version, Versions } from "./versions.ts";

/** A condition of a write; throws the refusal. Called within the transaction with the existing object. */
export type WriteGuard = (existing: StoredObject | undefined) => void;

export class Objects {
  readonly #db: Database;
  readonly #blobs: Blobs;
  readonly #contents: Contents;
  readonly #find: Statement;
  readonly #from: Statement;
  readonly #insert: Statement;
  readonly #remove: Statement;

  /** Where the bucket keeps every version. */
  readonly versions: Versions | undefined;

  constructor(db: Database, blobs: Blobs, contents: Contents, versions?: Versions) {
    this.versions = versions;
    this.#db = db;
    this.#blobs = blobs;
    this.#contents = contents;
    this.#find = db.prepare("SELECT * FROM object WHERE bucket = ? AND key = ?");
    this.#from = db.prepare("SELECT * FROM object WHERE bucket = ? AND key >= ? ORDER BY key LIMIT ?");
    this.#insert = db.prepare(
      "INSERT INTO object (bucket, key, content, etag, size, modified_ms, attributes, checksums, checksum_type) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#remove = db.prepare("DELETE FROM object WHERE bucket = ? AND key = ?");
  }

  find(bucket: string, key: string): StoredObject | undefined {
    const row = this.#find.get(bucket, Buffer.from(key));
    return row === undefined ? undefined : toObject(row);
  }

  page(bucket: string, query: ListQuery<Buffer>): Listed<StoredObject, Buffer> {
    const source: Listable<StoredObject, Buffer> = {
      from: (cursor, limit) => this.#from.all(bucket, cursor, limit).map(toObject),
      keyOf: (object) => Buffer.from(object.key),
      after: (object) => pastKey(Buffer.from(object.key)),
      past: pastPrefix,
    };
    return listPage(source, query);
  }

  /** Stores an object of one part. Durable when it resolves. */
  async put(
    bucket: string,
    object: StoredObject,
    part: StoredPart,
    blob: Blob,
    guard: WriteGuard,
  ): Promise<void> {
    const freed = this.#db.transaction(() => {
      const replaced = this.replace(bucket, object, guard);
      this.#contents.put(object.content, part, blob);
      return replaced;
    });
    await this.release(freed);
  }

  /** Within a transaction: replaces the existing object, and returns the files that are no longer used. */
  replace(bucket: string, object: StoredObject, guard: WriteGuard): readonly Freed[] {
    const existing = this.find(bucket, object.key);
    guard(existing);
    const freed = existing === undefined ? [] : this.#displace(bucket, existing);
    this.#insertRow(bucket, object);
    this.versions?.add(bucket, object.key, object.modifiedMs, object);
    return freed;
  }

  #insertRow(bucket: string, object: StoredObject): void {
    this.#insert.run(
      bucket,
      Buffer.from(object.key),
      object.content,
      object.etag,
      object.size,
      object.modifiedMs,
      JSON.stringify(object.attributes),
      JSON.stringify(object.checksums),
      object.checksumType ?? null,
    );
  }

  /** A replaced or deleted object stays as an older version if versioning is on. */
  #displace(bucket: string, existing: StoredObject): readonly Freed[] {
    if (!this.versions) return this.#drop(bucket, existing);
    this.#remove.run(bucket, Buffer.from(existing.key));
    return [];
  }

  /** The id that names the existing object. */
  versionId(bucket: string, key: string): string | undefined {
    return this.versions?.of(bucket, key)[0]?.id;
  }

  /** Removes one version permanently; the one before it becomes current. */
  async removeVersion(bucket: string, key: string, id: string): Promise<Version | undefined> {
    if (!this.versions) return undefined;
    const { removed, newest } = this.versions.remove(bucket, key, id);
    const freed = this.#db.transaction(() => {
      this.#remove.run(bucket, Buffer.from(key));
      if (newest?.object) this.#insertRow(bucket, newest.object);
      return removed?.object ? [this.#contents.removeAll(removed.object.content)] : [];
    });
    await this.release(freed);
    return removed;
  }

  /** Deletes the existing object, if any. Durable when it resolves. */
  async remove(bucket: string, key: string, guard: WriteGuard, nowMs: number): Promise<void> {
    const freed = this.#db.transaction(() => {
      const existing = this.find(bucket, key);
      guard(existing);
      return existing === undefined ? [] : this.#displace(bucket, existing);
    });
    // Even without an existing object, as in S3.
    this.versions?.add(bucket, key, nowMs);
    await this.release(freed);
  }

  /** Makes the last transaction durable, then releases the files it freed. */
  async release(freed: readonly Freed[]): Promise<void> {
    await this.#db.durable();
    for (const { content, files } of freed) await this.#blobs.discard(content, files);
  }

  #drop(bucket: string, existing: StoredObject): readonly Freed[] {
    this.#remove.run(bucket, Buffer.from(existing.key));
    return [this.#contents.removeAll(existing.content)];
  }
}
