/**
 * Reads completed files again if their size does not show whether they changed, one at a time and no faster than
 * SLUICE_REREAD_RATE, and compares their CRC32 with the object's. Files that were written come before those whose ctime
 * alone changed: a change of permissions over a whole volume must not delay a status file.
 */
import {
  FileError,
  LIMITS,
  crc32ToBase64,
  unchanged,
  type Clock,
  type Digests,
  type FileFacts,
  type FileSource,
  type OpenFile,
} from "@sluice/core";

export interface Reread {
  path: string;
  facts: FileFacts;
  /** Base64, as in the entry. */
  crc32: string;
  urgent: boolean;
  /**
   * `same`: whether the bytes are unchanged. Not called if the file changed meanwhile: the next sighting asks again.
   */
  decided(same: boolean): Promise<void>;
}

export interface RereaderDeps {
  files: FileSource;
  digests: Digests;
  clock: Clock;
  bytesPerSecond: number;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

export class Rereader {
  readonly #deps: RereaderDeps;
  readonly #urgent = new Map<string, Reread>();
  readonly #others = new Map<string, Reread>();
  #reading: string | undefined;
  #wake = Promise.withResolvers<void>();
  /** The time, on the monotonic clock, from which the rate allows the next read. */
  #freeAtMs = 0;

  constructor(deps: RereaderDeps) {
    this.#deps = deps;
  }

  /** Files that are being read or wait for it: "checking n files". */
  get checking(): number {
    return this.#urgent.size + this.#others.size + (this.#reading === undefined ? 0 : 1);
  }

  /** A file that already waits is read as it was last seen. */
  add(job: Reread): void {
    if (this.#reading === job.path) return;
    const before = this.checking;
    this.forget(job.path);
    (job.urgent ? this.#urgent : this.#others).set(job.path, job);
    if (before === 0)
      this.#deps.log.info({}, "completed files whose times changed are compared with their CRC32");
    this.#wake.resolve();
  }

  forget(path: string): void {
    this.#urgent.delete(path);
    this.#others.delete(path);
  }

  clear(): void {
    this.#urgent.clear();
    this.#others.clear();
  }

  async run(signal: AbortSignal): Promise<void> {
    const stopped = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => stopped.resolve(), { once: true });
    while (!signal.aborted) {
      const job = this.#next();
      if (job) await this.#one(job, signal);
      else {
        this.#wake = Promise.withResolvers();
        await Promise.race([this.#wake.promise, stopped.promise]);
      }
    }
  }

  #next(): Reread | undefined {
    const [job] = this.#urgent.size > 0 ? this.#urgent.values() : this.#others.values();
    if (job) this.forget(job.path);
    return job;
  }

  async #one(job: Reread, signal: AbortSignal): Promise<void> {
    this.#reading = job.path;
    try {
      const crc = await this.#crcOf(job, signal);
      if (crc !== undefined) await job.decided(crc32ToBase64(crc) === job.crc32);
    } catch (error) {
      if (signal.aborted) return;
      // The volume or Redis does not answer now: the next rescan sees the file again.
      this.#deps.log.warn(
        { path: job.path, err: error },
        "a completed file could not be compared with its CRC32 yet",
      );
      if (!(error instanceof Error)) throw error;
    } finally {
      this.#reading = undefined;
      if (this.checking === 0) this.#deps.log.info({}, "all completed files are compared");
    }
  }

  /** Undefined if it is not the file that was seen, or changes while it is read. */
  async #crcOf({ path, facts }: Reread, signal: AbortSignal): Promise<number | undefined> {
    const opened = await this.#deps.files.open(path);
    if (opened.kind === "unreadable") throw new FileError(opened.code, opened.detail);
    if (opened.kind !== "file") return undefined;
    await using file: OpenFile = opened.file;
    const buffer = new Uint8Array(LIMITS.verifyChunkBytes);
    let crc = 0;
    for (let at = 0; at < facts.size;) {
      if (signal.aborted || !unchanged(facts, await file.facts())) return undefined;
      const chunk = buffer.subarray(0, Math.min(buffer.length, facts.size - at));
      await this.#pay(chunk.length, signal);
      if ((await file.read(chunk, at)) < chunk.length) return undefined;
      crc = this.#deps.digests.crc32(chunk, crc);
      at += chunk.length;
    }
    return unchanged(facts, await file.facts()) ? crc : undefined;
  }

  async #pay(bytes: number, signal: AbortSignal): Promise<void> {
    const { clock, bytesPerSecond } = this.#deps;
    const nowMs = clock.monotonicMs();
    const waitMs = this.#freeAtMs - nowMs;
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + (bytes * 1000) / bytesPerSecond;
    if (waitMs > 0) await clock.sleep(waitMs, signal);
  }
}
