/** The file ports over a directory tree in memory, with the troubles a volume may have: denied, unreadable, away. */
import { FileError } from "../errors.ts";
import { MARKER_SUFFIX, type TemporaryNames } from "../paths/temporary-names.ts";
import type { FileSource, FileTidier, Look, Opened, OpenFile, TidyOutcome } from "../ports/file-source.ts";
import type { Volume, Whereabouts } from "../processor/dependencies.ts";
import type { FileFacts } from "../stream/identity.ts";
import type { StreamRecord } from "../stream/record.ts";
import type { DiskFile, MemoryDisk } from "./memory-disk.ts";

export class MemoryFileSource implements FileSource, FileTidier, Volume {
  readonly #disk: MemoryDisk;
  readonly #forbidden = new Map<string, string>();
  #readTrouble = { code: "", times: 0 };
  /** Bytes read through open files, so that tests can say how often a file was read. */
  bytesRead = 0;

  constructor(disk: MemoryDisk) {
    this.#disk = disk;
  }

  /** Opening the file fails with this code, while stat still answers. */
  forbid(path: string, code = "EACCES"): void {
    this.#forbidden.set(path, code);
  }

  allow(path: string): void {
    this.#forbidden.delete(path);
  }

  /** The next reads fail, as when a network volume goes away under an open file. */
  failReads(times: number, code = "EIO"): void {
    this.#readTrouble = { code, times };
  }

  async look(path: string): Promise<Look> {
    const odd = this.#disk.oddity(path);
    if (odd !== undefined) return { kind: "not_a_stream", what: odd };
    const file = this.#disk.file(path);
    return file ? { kind: "file", facts: this.#disk.factsOf(file) } : { kind: "missing" };
  }

  async open(path: string): Promise<Opened> {
    const look = await this.look(path);
    if (look.kind !== "file") return look;
    const file = this.#disk.file(path);
    if (!file) return { kind: "missing" };
    const code = this.#forbidden.get(path);
    if (code !== undefined) return { kind: "unreadable", code, detail: `${code}: cannot open ${path}` };
    return { kind: "file", file: this.#openFile(file) };
  }

  async temporaryOf(path: string, names: TemporaryNames): Promise<string | undefined> {
    return this.#disk.paths().find((other) => other !== path && names.finalOf(other) === path);
  }

  async marker(path: string): Promise<string | undefined> {
    return this.#disk.file(path + MARKER_SUFFIX)?.mtimeNs.toString();
  }

  async openForWriting(path: string) {
    const writer = this.#disk.file(path)?.writer;
    return writer ? ({ kind: "open", ...writer } as const) : ({ kind: "closed" } as const);
  }

  async remove(path: string, snapshot: FileFacts): Promise<TidyOutcome> {
    return this.#tidy(path, snapshot, () => this.#disk.delete(path));
  }

  async move(
    path: string,
    snapshot: FileFacts,
    directory: string,
    relativePath: string,
  ): Promise<TidyOutcome> {
    return this.#tidy(path, snapshot, () => this.#disk.rename(path, `${directory}/${relativePath}`));
  }

  async whereabouts(record: StreamRecord): Promise<Whereabouts> {
    if (!this.#disk.mounted) return { kind: "offline", detail: "its root is gone" };
    if (this.#disk.file(record.original_path)) return { kind: "back" };
    const { file_inode: inode = "", file_birthtime_ns: birthtimeNs } = record;
    const path = this.#disk.pathOf({ inode, ...(birthtimeNs === undefined ? {} : { birthtimeNs }) });
    return path === undefined ? { kind: "missing" } : { kind: "renamed", path };
  }

  #tidy(path: string, snapshot: FileFacts, act: () => void): TidyOutcome {
    if (!this.#disk.mounted) return { kind: "impossible", detail: "the volume is away" };
    const file = this.#disk.file(path);
    if (!file) return { kind: "gone" };
    const now = this.#disk.factsOf(file);
    const same =
      now.inode === snapshot.inode &&
      now.birthtimeNs === snapshot.birthtimeNs &&
      now.size === snapshot.size &&
      now.mtimeNs === snapshot.mtimeNs;
    if (!same) return { kind: "changed" };
    act();
    return { kind: "done" };
  }

  #openFile(file: DiskFile): OpenFile {
    return {
      openedFacts: this.#disk.factsOf(file),
      facts: async () => {
        this.#mustBeReadable();
        return this.#disk.factsOf(file);
      },
      read: async (into, offset) => {
        this.#mustBeReadable();
        const got = file.data.subarray(
          Math.min(offset, file.size),
          Math.min(file.size, offset + into.length),
        );
        into.set(got);
        this.bytesRead += got.length;
        return got.length;
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  #mustBeReadable(): void {
    if (!this.#disk.mounted) throw new FileError("ESTALE", "ESTALE: stale file handle");
    if (this.#readTrouble.times === 0) return;
    this.#readTrouble.times -= 1;
    const { code } = this.#readTrouble;
    throw new FileError(code, `${code}: the file cannot be read`);
  }
}
