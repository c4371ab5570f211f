/** A file as a recorder writes it: appended to, at a pace, through a descriptor that stays open. */
import { randomBytes } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { encodePath } from "@sluice/core";

export class GrowingFile implements AsyncDisposable {
  readonly path: string;
  readonly #handle: FileHandle;
  #size: number;

  private constructor(path: string, handle: FileHandle, size: number) {
    this.path = path;
    this.#handle = handle;
    this.#size = size;
  }

  /** Creates it, or goes on at its end. */
  static async open(path: string): Promise<GrowingFile> {
    const handle = await open(Buffer.from(encodePath(path)), "a");
    return new GrowingFile(path, handle, (await handle.stat()).size);
  }

  get size(): number {
    return this.#size;
  }

  /** Appends so many random bytes; returns when they were written, ms since 1970. */
  async append(bytes: number): Promise<number> {
    await this.#handle.appendFile(randomBytes(bytes));
    this.#size += bytes;
    return Date.now();
  }

  /** Appends `bytes` every `everyMs` until the file has `size`; `at` is told the size and time after each write. */
  async appendAtPace(
    size: number,
    bytes: number,
    everyMs: number,
    at: (size: number, writtenAtMs: number) => void = () => undefined,
  ): Promise<void> {
    let next = performance.now();
    while (this.#size < size) {
      const writtenAtMs = await this.append(Math.min(bytes, size - this.#size));
      at(this.#size, writtenAtMs);
      // The pace is the clock's, not the sum of the pauses: a slow write is caught up with.
      next += everyMs;
      await sleep(Math.max(0, next - performance.now()));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}
