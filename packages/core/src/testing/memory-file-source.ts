/** The file ports over a directory tree in memory, with the troubles a volume may have: denied, unreadable, away. */
import { FileError } from "../errors.ts";
import { MARKER_SUFFIX, type TemporaryNames } from "../stream/temporary-names.ts";
import type {
  FileSource,
  FileTidier,
  Look,
  Opened,
  OpenFile,
  TidyChecks,
  TidyOutcome,
  Writers,
} from "../ports/file-source.ts";
import type { Volume, Whereabouts } from "../flow/dependencies.ts";
import { sameFile, type FileFacts } from "../stream/identity.ts";
import { compareWithSnapshot } from "../stream/snapshot.ts";
import type { StreamRecord } from "../stream/record.ts";
import type { StreamId } from "../stream/values.ts";
import type { DiskFile, MemoryDisk } from "./memory-disk.ts";

export class MemoryFileSource implements FileSource, FileTidier, Volume {
  readonly #disk: MemoryDisk;
  readonly #forbidden = new Map<string, string>();
  readonly #cached = new Map<string, FileFacts>();
  #readTrouble = { code: "", times: 0 };
  /** What a supervisor knows: the stream that holds a path, and the one whose file this is under another name. */
  holderOf: (path: string) => StreamId | undefined = () => undefined;
  knownElsewhere: (facts: FileFacts, path: string) => StreamId | undefined = () => undefined;
  /** Bytes read through open files, so that tests can say how often a file was read. */
  bytesRead = 0;
  /** Times a file was looked at by its path. */
  looks = 0;
  unseen: string | undefined;

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

  /** Plain looks answer with what is there now, as a network file system's attribute cache does for some seconds. */
  cacheLooks(path: string): void {
    const file = this.#disk.file(path);
    if (file) this.#cached.set(path, this.#disk.factsOf(file));
  }

  async look(path: string): Promise<Look> {
    this.looks += 1;
    const cached = this.#cached.get(path);
    if (cached) return { kind: "file", facts: cached };
    const odd = this.#disk.oddity(path);
    if (odd !== undefined) return { kind: "not_a_stream", what: odd };
    const file = this.#disk.file(path);
    return file ? { kind: "file", facts: this.#disk.factsOf(file) } : { kind: "missing" };
  }

  async lookFresh(path: string): Promise<Look> {
    this.#cached.delete(path);
    const opened = await this.open(path);
    return opened.kind === "file" ? { kind: "file", facts: opened.file.openedFacts } : opened;
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

  /** Some processes cannot be seen, as in a PID namespace of the worker's own. */
  hideProcesses(detail: string): void {
    this.unseen = detail;
  }

  async openForWriting(path: string): Promise<Writers> {
    const writer = this.#disk.file(path)?.writer;
    if (writer) return { kind: "open", ...writer };
    return this.unseen === undefined ? { kind: "closed" } : { kind: "unknown", detail: this.unseen };
  }

  async remove(path: string, checks: TidyChecks): Promise<TidyOutcome> {
    return await this.#tidy(path, checks, () => this.#disk.delete(path));
  }

  async move(
    path: string,
    checks: TidyChecks,
    directory: string,
    relativePath: string,
  ): Promise<TidyOutcome> {
    return await this.#tidy(path, checks, () => this.#disk.rename(path, `${directory}/${relativePath}`));
  }

  async whereabouts(record: StreamRecord): Promise<Whereabouts> {
    if (!this.#disk.mounted) return { kind: "offline", detail: "its root is gone" };
    const here = this.#disk.file(record.original_path);
    const facts = here && this.#disk.factsOf(here);
    if (facts && leadsBack(record, facts)) return { kind: "back" };
    const { file_inode: inode = "", file_birthtime_ns: birthtimeNs } = record;
    const path = this.#disk.pathOf({ inode, ...(birthtimeNs === undefined ? {} : { birthtimeNs }) });
    if (path !== undefined) return { kind: "renamed", path, displaces: this.holderOf(path) };
    const by = facts && this.knownElsewhere(facts, record.original_path);
    if (by !== undefined) return { kind: "overtaken", by };
    return facts ? { kind: "replaced", facts } : { kind: "missing" };
  }

  followed(): void {
    // What stands at the path before is seen by the next scan.
  }

  async #tidy(path: string, checks: TidyChecks, act: () => void): Promise<TidyOutcome> {
    if (!this.#disk.mounted) return { kind: "impossible", detail: "the volume is away" };
    const file = this.#disk.file(path);
    if (!file) return { kind: "gone" };
    const is = compareWithSnapshot(checks.snapshot, this.#disk.factsOf(file));
    if (is !== "same") return is === "touched" ? { kind: is, now: this.#disk.factsOf(file) } : { kind: is };
    const writers = await this.openForWriting(path);
    if (writers.kind === "open") return writers;
    if (writers.kind === "unknown" && !checks.unseen) return { kind: "unseen", detail: writers.detail };
    if (!(await checks.proved())) return { kind: "unproved" };
    // Whatever happened while the store was asked.
    if (this.#disk.file(path) !== file) return { kind: "gone" };
    if (compareWithSnapshot(checks.snapshot, this.#disk.factsOf(file)) !== "same") return { kind: "changed" };
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

function leadsBack(record: StreamRecord, facts: FileFacts): boolean {
  const same = sameFile(record, facts, { at: "its_path" });
  return (
    same.kind === "same" || (same.kind === "ask_bytes" && (record.file_inode ?? facts.inode) === facts.inode)
  );
}
