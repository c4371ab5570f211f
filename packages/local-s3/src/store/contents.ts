/** Contents: the numbered parts that make up a body, open or finished. Part numbers are unique within one content. */
import type { Blob } from "./blobs.ts";
import { bytes, type Database, optionalText, type Statement } from "./database.ts";
import { type StoredPart, toPart } from "./records.ts";

/** Files whose rows a transaction removed; they may be deleted once that transaction is durable. */
export interface Freed {
  readonly content: string;
  readonly files: readonly string[];
}

const COLUMNS = "number, etag, size, modified_ms, checksums";

export class Contents {
  readonly #find: Statement;
  readonly #page: Statement;
  readonly #body: Statement;
  readonly #put: Statement;
  readonly #removeOne: Statement;
  readonly #removeAll: Statement;
  readonly #names: Statement;

  constructor(db: Database) {
    this.#find = db.prepare(`SELECT ${COLUMNS} FROM part WHERE content = ? AND number = ?`);
    this.#page = db.prepare(
      `SELECT ${COLUMNS} FROM part WHERE content = ? AND number > ? ORDER BY number LIMIT ?`,
    );
    this.#body = db.prepare("SELECT file, data FROM part WHERE content = ? AND number = ?");
    this.#put = db.prepare(
      "INSERT INTO part (content, number, etag, size, modified_ms, checksums, file, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#removeOne = db.prepare("DELETE FROM part WHERE content = ? AND number = ? RETURNING file");
    this.#removeAll = db.prepare("DELETE FROM part WHERE content = ? RETURNING file");
    this.#names = db.prepare("SELECT 1 FROM part WHERE content = ? AND number = ? AND file = ?");
  }

  part(content: string, number: number): StoredPart | undefined {
    const row = this.#find.get(content, number);
    return row === undefined ? undefined : toPart(row);
  }

  /** Parts in order, those above `after`, at most `limit`. */
  parts(content: string, after = 0, limit = -1): readonly StoredPart[] {
    return this.#page.all(content, after, limit).map(toPart);
  }

  /** Where a part's bytes are. */
  body(content: string, number: number): Blob {
    const row = this.#body.get(content, number);
    if (row === undefined) throw new Error(`part ${number} of ${content} is gone`);
    const file = optionalText(row, "file");
    return file === undefined ? { data: bytes(row, "data") } : { file };
  }

  /** Within a transaction. Replaces a part of the same number. */
  put(content: string, part: StoredPart, blob: Blob): Freed {
    const freed = this.remove(content, [part.number]);
    const { number, etag, size, modifiedMs } = part;
    this.#put.run(
      content,
      number,
      etag,
      size,
      modifiedMs,
      JSON.stringify(part.checksums),
      blob.file ?? null,
      blob.data ?? null,
    );
    return freed;
  }

  /** Within a transaction. */
  remove(content: string, numbers: readonly number[]): Freed {
    const rows = numbers.flatMap((number) => this.#removeOne.all(content, number));
    return { content, files: rows.flatMap((row) => optionalText(row, "file") ?? []) };
  }

  /** Within a transaction. */
  removeAll(content: string): Freed {
    return { content, files: this.#removeAll.all(content).flatMap((row) => optionalText(row, "file") ?? []) };
  }

  /** Does a row name this file? File names begin `<content>.<number>.`. */
  names(file: string): boolean {
    const [content = "", number = ""] = file.split(".");
    return this.#names.get(content, Number.parseInt(number, 10), file) !== undefined;
  }
}
