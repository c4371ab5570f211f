/**
 * Metadata lives in one SQLite database: a change is a transaction, and `durable()` is the fsync it needs before it may be acknowledged.
 *
 * SQLite runs with synchronous=NORMAL, which leaves out the fsync of the log at each commit; `durable()` does that fsync off
 * the main thread and shares it among all requests that wait. After a crash SQLite takes the log up to its last whole commit.
 */
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from "node:sqlite";
import { GroupSync } from "./group-sync.ts";
import { SCHEMA, SCHEMA_VERSION } from "./schema.ts";

export type Row = Record<string, SQLOutputValue>;

export interface Statement {
  run(...values: SQLInputValue[]): void;
  get(...values: SQLInputValue[]): Row | undefined;
  all(...values: SQLInputValue[]): Row[];
}

const SQLITE_BUSY = 5;

export class Database {
  readonly #db: DatabaseSync;
  readonly #log: FileHandle;
  readonly #sync: GroupSync;

  private constructor(db: DatabaseSync, log: FileHandle, sync: GroupSync) {
    this.#db = db;
    this.#log = log;
    this.#sync = sync;
  }

  /** Throws an Error in plain words when another process has the directory open or its format is newer. */
  static async open(dir: string, fsync: boolean): Promise<Database> {
    const path = join(dir, "metadata.sqlite");
    const db = new DatabaseSync(path);
    try {
      // One process per directory; the lock ends with the process, so a kill leaves nothing behind.
      db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL");
      db.exec(`PRAGMA synchronous = ${fsync ? "NORMAL" : "OFF"}; PRAGMA foreign_keys = ON`);
      const found = Number(db.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
      if (found > SCHEMA_VERSION)
        throw new Error(`${dir} was written by a newer version (format ${found}, known ${SCHEMA_VERSION})`);
      db.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
      const log = await open(`${path}-wal`, "r+");
      return new Database(db, log, new GroupSync(fsync ? () => log.datasync() : async () => {}));
    } catch (error) {
      db.close();
      if (error instanceof Error && "errcode" in error && Number(error.errcode) % 256 === SQLITE_BUSY) {
        throw new Error(`${dir} is in use by another local-s3 process`, { cause: error });
      }
      throw error;
    }
  }

  prepare(sql: string): Statement {
    const statement = this.#db.prepare(sql);
    return {
      run: (...values) => {
        statement.run(...values);
      },
      get: (...values) => statement.get(...values),
      all: (...values) => statement.all(...values),
    };
  }

  /** All of `change` or none of it. `change` is synchronous, so no other request runs in between. */
  transaction<T>(change: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = change();
      this.#db.exec("COMMIT");
      this.#sync.written();
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  durable(): Promise<void> {
    return this.#sync.durable();
  }

  async close(): Promise<void> {
    await this.#log.close();
    this.#db.close();
  }
}

/** Columns are typed by the STRICT schema; these say which type a caller relies on. */
export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new TypeError(`column ${column} is not text`);
  return value;
}

export function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "number") throw new TypeError(`column ${column} is not an integer`);
  return value;
}

export function bytes(row: Row, column: string): Buffer {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw new TypeError(`column ${column} is not a blob`);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

export const optionalText = (row: Row, column: string): string | undefined =>
  row[column] === null ? undefined : text(row, column);
