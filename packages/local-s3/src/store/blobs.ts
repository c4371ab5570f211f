/** Bodies: small ones are bytes for the database, others files. A file no row names is garbage and is swept at the next start. */
import { constants, type FileHandle, mkdir, open, opendir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { LIMITS } from "../limits.ts";
import { GroupSync } from "./group-sync.ts";

/** Where a stored body is: exactly one of the two. */
export type Blob =
  | { readonly file: string; readonly data?: never }
  | { readonly data: Buffer; readonly file?: never };

export class Blobs {
  readonly #dir: string;
  readonly #fsync: boolean;
  readonly #entries: GroupSync;
  readonly #dirHandle: FileHandle;
  /** content → readers; what they read is unlinked only after the last one is done. */
  readonly #readers = new Map<string, number>();
  readonly #doomed = new Map<string, string[]>();

  private constructor(dir: string, fsync: boolean, dirHandle: FileHandle) {
    this.#dir = dir;
    this.#fsync = fsync;
    this.#dirHandle = dirHandle;
    this.#entries = new GroupSync(fsync ? () => dirHandle.sync() : async () => {});
  }

  static async open(root: string, fsync: boolean): Promise<Blobs> {
    const dir = join(root, "blobs");
    await mkdir(dir, { recursive: true });
    return new Blobs(dir, fsync, await open(dir, constants.O_RDONLY | constants.O_DIRECTORY));
  }

  writer(name: string): BlobWriter {
    return new BlobWriter(join(this.#dir, name), name, this.#fsync ? this.#entries : undefined);
  }

  read(file: string): Promise<FileHandle> {
    return open(join(this.#dir, file), "r");
  }

  /** Pins a content until the returned function is called. */
  pin(content: string): () => Promise<void> {
    this.#readers.set(content, (this.#readers.get(content) ?? 0) + 1);
    return async () => {
      const left = (this.#readers.get(content) ?? 1) - 1;
      if (left > 0) {
        this.#readers.set(content, left);
        return;
      }
      this.#readers.delete(content);
      const files = this.#doomed.get(content) ?? [];
      this.#doomed.delete(content);
      await this.#unlink(files);
    };
  }

  /** Deletes files whose rows are removed permanently, at once or after the last reader. */
  async discard(content: string, files: readonly string[]): Promise<void> {
    if (!this.#readers.has(content)) return this.#unlink(files);
    this.#doomed.set(content, [...(this.#doomed.get(content) ?? []), ...files]);
  }

  /** Removes what an earlier process wrote and never committed. */
  async sweep(isNamed: (file: string) => boolean): Promise<void> {
    for await (const entry of await opendir(this.#dir)) {
      if (!isNamed(entry.name)) await unlink(join(this.#dir, entry.name));
    }
  }

  close(): Promise<void> {
    return this.#dirHandle.close();
  }

  async #unlink(files: readonly string[]): Promise<void> {
    for (const file of files) await removeFile(join(this.#dir, file));
  }
}

/** One body on its way to disk. Chunks are kept, not copied, until a batch is full; a batch is written while the next one fills. */
export class BlobWriter {
  readonly #path: string;
  readonly #name: string;
  readonly #entries: GroupSync | undefined;
  #file: FileHandle | undefined;
  #batch: Buffer[] = [];
  #batchBytes = 0;
  #size = 0;
  #writing: Promise<void> = Promise.resolve();
  #failure: { error: unknown } | undefined;

  constructor(path: string, name: string, entries: GroupSync | undefined) {
    this.#path = path;
    this.#name = name;
    this.#entries = entries;
  }

  /** Resolves when another chunk may be given. Throws what the disk threw, perhaps one batch late. */
  async write(chunk: Buffer): Promise<void> {
    this.#batch.push(chunk);
    this.#batchBytes += chunk.length;
    this.#size += chunk.length;
    if (this.#batchBytes >= LIMITS.writeBatchBytes || this.#batch.length >= LIMITS.writeBatchBuffers)
      await this.#flush();
  }

  /** The whole body is durable when this resolves, or it is `data` and becomes so with its row. */
  async finish(): Promise<Blob> {
    if (this.#file === undefined && this.#size <= LIMITS.inlineBytes)
      return { data: Buffer.concat(this.#batch) };
    await this.#flush();
    await this.#settle();
    const file = this.#file;
    if (file === undefined) throw new Error("a flushed body has no file");
    if (this.#entries !== undefined) await Promise.all([file.datasync(), this.#entries.durable()]);
    this.#file = undefined;
    await file.close();
    return { file: this.#name };
  }

  /** Forgets the body; after a successful finish too, if its row was refused. */
  async discard(): Promise<void> {
    this.#batch = [];
    await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
    await removeFile(this.#path);
  }

  async #flush(): Promise<void> {
    await this.#settle();
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#batch = [];
    this.#batchBytes = 0;
    if (this.#file === undefined) {
      this.#file = await open(this.#path, "wx");
      this.#entries?.written();
    }
    this.#writing = writeAll(this.#file, batch).catch((error: unknown) => {
      this.#failure = { error };
    });
  }

  async #settle(): Promise<void> {
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

async function writeAll(file: FileHandle, batch: readonly Buffer[]): Promise<void> {
  let { bytesWritten } = await file.writev(batch);
  for (const chunk of batch) {
    // writev may stop anywhere; the rest is written chunk by chunk.
    const done = Math.min(bytesWritten, chunk.length);
    bytesWritten -= done;
    if (done < chunk.length) await file.appendFile(chunk.subarray(done));
  }
}

async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}
