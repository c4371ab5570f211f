/** Finished objects: a key has one object or none, and it changes from one to the next in a single transaction. */
import type { Blobs } from "./blobs.ts";
import type { Blob } from "./blobs.ts";
import type { Contents, Freed } from "./contents.ts";
import type { Database, Statement } from "./database.ts";
import { type Listable, listPage, type Listed, type ListQuery, pastKey, pastPrefix } from "./listing.ts";
import { type StoredObject, type StoredPart, toObject } from "./records.ts";

/** What may stand in the way of a write; throws the refusal. Called within the transaction with the object found there. */
export type WriteGuard = (existing: StoredObject | undefined) => void;

export class Objects {
  readonly #db: Database;
  readonly #blobs: Blobs;
  readonly #contents: Contents;
  readonly #find: Statement;
  readonly #from: Statement;
  readonly #insert: Statement;
  readonly #remove: Statement;

  constructor(db: Database, blobs: Blobs, contents: Contents) {
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

  /** Within a transaction: puts the object in the place of what is there, and says which files that frees. */
  replace(bucket: string, object: StoredObject, guard: WriteGuard): readonly Freed[] {
    const existing = this.find(bucket, object.key);
    guard(existing);
    const freed = existing === undefined ? [] : this.#drop(bucket, existing);
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
    return freed;
  }

  /** Deletes what is there, if anything. Durable when it resolves. */
  async remove(bucket: string, key: string, guard: WriteGuard): Promise<void> {
    const freed = this.#db.transaction(() => {
      const existing = this.find(bucket, key);
      guard(existing);
      return existing === undefined ? [] : this.#drop(bucket, existing);
    });
    await this.release(freed);
  }

  /** Makes the last transaction durable, then lets go of the files it freed. */
  async release(freed: readonly Freed[]): Promise<void> {
    await this.#db.durable();
    for (const { content, files } of freed) await this.#blobs.discard(content, files);
  }

  #drop(bucket: string, existing: StoredObject): readonly Freed[] {
    this.#remove.run(bucket, Buffer.from(existing.key));
    return [this.#contents.removeAll(existing.content)];
  }
}
