/** Open multipart uploads. A part or a Complete meets an upload that is still open in its own transaction, or it meets NoSuchUpload. */
import { noSuchUpload } from "../errors.ts";
import type { Blob } from "./blobs.ts";
import type { Contents } from "./contents.ts";
import type { Database, Statement } from "./database.ts";
import { type Listable, listPage, type Listed, type ListQuery, pastPrefix } from "./listing.ts";
import type { Objects, WriteGuard } from "./objects.ts";
import { type StoredObject, type StoredPart, type StoredUpload, toUpload } from "./records.ts";

const REMEMBERED = 1_000;

export interface UploadCursor {
  readonly key: Buffer;
  /** Uploads of that key up to and including this id are past; "" for none. */
  readonly id: string;
}

export interface Completion {
  readonly object: StoredObject;
  /** Parts that are not in the object; they are removed with the upload. */
  readonly dropped: readonly number[];
}

export interface EndedUpload {
  readonly upload: StoredUpload;
  readonly parts: readonly StoredPart[];
}

export class Uploads {
  readonly #db: Database;
  readonly #contents: Contents;
  readonly #objects: Objects;
  readonly #find: Statement;
  readonly #from: Statement;
  readonly #insert: Statement;
  readonly #remove: Statement;
  /** For stores that keep listing uploads that have ended. In memory: it is a quirk, not a promise. */
  readonly #ended = new Map<string, EndedUpload>();

  constructor(db: Database, contents: Contents, objects: Objects) {
    this.#db = db;
    this.#contents = contents;
    this.#objects = objects;
    this.#find = db.prepare("SELECT * FROM upload WHERE bucket = ? AND key = ? AND id = ?");
    this.#from = db.prepare(
      "SELECT * FROM upload WHERE bucket = ? AND (key, id) > (?, ?) ORDER BY key, id LIMIT ?",
    );
    this.#insert = db.prepare(
      "INSERT INTO upload (bucket, key, id, initiated_ms, attributes, algorithm, checksum_type) VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    this.#remove = db.prepare("DELETE FROM upload WHERE bucket = ? AND key = ? AND id = ?");
  }

  find(bucket: string, key: string, id: string): StoredUpload | undefined {
    const row = this.#find.get(bucket, Buffer.from(key), id);
    return row === undefined ? undefined : toUpload(row);
  }

  /** Undefined for an upload that is open, or was never known. */
  ended(bucket: string, key: string, id: string): EndedUpload | undefined {
    return this.find(bucket, key, id) === undefined ? this.#ended.get(`${bucket}/${key} ${id}`) : undefined;
  }

  #remember(bucket: string, key: string, id: string): void {
    const upload = this.need(bucket, key, id);
    this.#ended.set(`${bucket}/${key} ${id}`, { upload, parts: this.#contents.parts(id) });
    // More than any test needs.
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > REMEMBERED && oldest !== undefined) this.#ended.delete(oldest);
  }

  /** Throws NoSuchUpload. */
  need(bucket: string, key: string, id: string): StoredUpload {
    const upload = this.find(bucket, key, id);
    if (upload === undefined) throw noSuchUpload(id);
    return upload;
  }

  page(bucket: string, query: ListQuery<UploadCursor>): Listed<StoredUpload, UploadCursor> {
    const source: Listable<StoredUpload, UploadCursor> = {
      from: (cursor, limit) => this.#from.all(bucket, cursor.key, cursor.id, limit).map(toUpload),
      keyOf: (upload) => Buffer.from(upload.key),
      after: (upload) => ({ key: Buffer.from(upload.key), id: upload.id }),
      past: (prefix) => ({ key: pastPrefix(prefix), id: "" }),
    };
    return listPage(source, query);
  }

  async create(bucket: string, upload: StoredUpload): Promise<void> {
    const { key, id, initiatedMs, attributes, checksum } = upload;
    this.#db.transaction(() => {
      const type = checksum?.type ?? null;
      this.#insert.run(
        bucket,
        Buffer.from(key),
        id,
        initiatedMs,
        JSON.stringify(attributes),
        checksum?.algorithm ?? null,
        type,
      );
    });
    await this.#db.durable();
  }

  /** The part counts from here on and replaces an earlier one with its number. Durable when it resolves. */
  async putPart(bucket: string, key: string, id: string, part: StoredPart, blob: Blob): Promise<void> {
    const freed = this.#db.transaction(() => {
      this.need(bucket, key, id);
      return this.#contents.put(id, part, blob);
    });
    await this.#objects.release([freed]);
  }

  /** Turns the upload into an object. `decide` sees the upload and its parts as they are in the transaction, and throws a refusal. */
  async complete(
    bucket: string,
    key: string,
    id: string,
    decide: (upload: StoredUpload, parts: readonly StoredPart[]) => Completion,
    guard: WriteGuard,
  ): Promise<StoredObject> {
    const { freed, object } = this.#db.transaction(() => {
      const completion = decide(this.need(bucket, key, id), this.#contents.parts(id));
      this.#remember(bucket, key, id);
      const dropped = this.#contents.remove(id, completion.dropped);
      const replaced = this.#objects.replace(bucket, completion.object, guard);
      this.#remove.run(bucket, Buffer.from(key), id);
      return { freed: [dropped, ...replaced], object: completion.object };
    });
    await this.#objects.release(freed);
    return object;
  }

  async abort(bucket: string, key: string, id: string): Promise<void> {
    const freed = this.#db.transaction(() => {
      this.#remember(bucket, key, id);
      this.#remove.run(bucket, Buffer.from(key), id);
      return this.#contents.removeAll(id);
    });
    await this.#objects.release([freed]);
  }
}
