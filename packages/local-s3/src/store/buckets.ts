/** Buckets: a name, its creation time and a stored lifecycle document that nothing acts on. */
import { noSuchBucket, S3Error } from "../errors.ts";
import { type Database, integer, optionalText, type Row, type Statement, text } from "./database.ts";

export interface Bucket {
  readonly name: string;
  readonly createdMs: number;
  /** The XML as it was sent. */
  readonly lifecycle?: string;
}

export class Buckets {
  readonly #db: Database;
  readonly #find: Statement;
  readonly #list: Statement;
  readonly #insert: Statement;
  readonly #remove: Statement;
  readonly #setLifecycle: Statement;
  readonly #inUse: Statement;

  constructor(db: Database) {
    this.#db = db;
    this.#find = db.prepare("SELECT * FROM bucket WHERE name = ?");
    this.#list = db.prepare("SELECT * FROM bucket ORDER BY name");
    this.#insert = db.prepare("INSERT INTO bucket (name, created_ms) VALUES (?, ?)");
    this.#remove = db.prepare("DELETE FROM bucket WHERE name = ?");
    this.#setLifecycle = db.prepare("UPDATE bucket SET lifecycle = ? WHERE name = ?");
    this.#inUse = db.prepare(
      "SELECT EXISTS (SELECT 1 FROM object WHERE bucket = ?1) OR EXISTS (SELECT 1 FROM upload WHERE bucket = ?1) AS used",
    );
  }

  /** Throws NoSuchBucket. */
  need(name: string): Bucket {
    const row = this.#find.get(name);
    if (row === undefined) throw noSuchBucket(name);
    return toBucket(row);
  }

  exists(name: string): boolean {
    return this.#find.get(name) !== undefined;
  }

  list(): readonly Bucket[] {
    return this.#list.all().map(toBucket);
  }

  async create(name: string, nowMs: number): Promise<void> {
    if (!validBucketName(name))
      throw new S3Error("InvalidBucketName", "The specified bucket is not valid.", {
        fields: { BucketName: name },
      });
    this.#db.transaction(() => {
      if (this.exists(name)) {
        throw new S3Error(
          "BucketAlreadyOwnedByYou",
          "The bucket you tried to create already exists, and you own it.",
          {
            fields: { BucketName: name },
          },
        );
      }
      this.#insert.run(name, nowMs);
    });
    await this.#db.durable();
  }

  async remove(name: string): Promise<void> {
    this.#db.transaction(() => {
      this.need(name);
      if (this.#inUse.get(name)?.["used"] !== 0) {
        throw new S3Error("BucketNotEmpty", "The bucket you tried to delete is not empty", {
          fields: { BucketName: name },
        });
      }
      this.#remove.run(name);
    });
    await this.#db.durable();
  }

  async setLifecycle(name: string, xml: string | null): Promise<void> {
    this.#db.transaction(() => {
      this.need(name);
      this.#setLifecycle.run(xml, name);
    });
    await this.#db.durable();
  }
}

function toBucket(row: Row): Bucket {
  const lifecycle = optionalText(row, "lifecycle");
  return {
    name: text(row, "name"),
    createdMs: integer(row, "created_ms"),
    ...(lifecycle !== undefined && { lifecycle }),
  };
}

const validBucketName = (name: string): boolean =>
  /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
  !name.includes("..") &&
  !/^\d+\.\d+\.\d+\.\d+$/.test(name);
