/**
 * Read-only access to the files of the watches. Only regular files inside a watch are ever opened: a FIFO cannot block
 * a thread, a link cannot lead outside, and what was opened is checked again through its descriptor, not its name.
 */
import { constants, readlinkSync, type BigIntStats } from "node:fs";
import { open, realpath, type FileHandle } from "node:fs/promises";
import {
  FileError,
  MARKER_SUFFIX,
  decodePath,
  type FileFacts,
  type FileSource,
  type Look,
  type OpenFile,
  type Opened,
  type TemporaryNames,
  type WriterProbe,
  type WriterQuestion,
} from "@sluice/core";
import { factsOf, kindOfEntry } from "./file-facts.ts";
import { refusedLink, type HardLinks } from "./hard-links.ts";
import { isUnder, pathBuffer } from "./path-buffer.ts";
import { statPath } from "./stat-path.ts";
import { isMissing, systemError } from "./system-error.ts";
import { TemporarySiblings } from "./temporary-siblings.ts";

type NotAFile = Exclude<Look, { kind: "file" }>;

const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
const OUTSIDE: NotAFile = { kind: "not_a_stream", what: "a file that a link leads to, outside its watch" };

interface WatchedRoot {
  /** Absolute, as configured. */
  root: string;
  hardlinks: HardLinks;
}

export class DiskFileSource implements FileSource {
  readonly #watches: readonly WatchedRoot[];
  readonly #writers: WriterProbe;
  readonly #siblings = new TemporarySiblings();
  /** Root as configured → where it really is; the root itself may be a link. */
  readonly #realRoots = new Map<string, string>();

  constructor(options: { watches: readonly WatchedRoot[]; writers: WriterProbe }) {
    this.#watches = options.watches;
    this.#writers = options.writers;
  }

  get unseen(): string | undefined {
    return this.#writers.unseen;
  }

  async look(path: string): Promise<Look> {
    try {
      const stats = await statPath(pathBuffer(path));
      const what = kindOfEntry(stats);
      return what === undefined ? { kind: "file", facts: factsOf(stats) } : { kind: "not_a_stream", what };
    } catch (error) {
      return failedLook(error);
    }
  }

  async lookFresh(path: string): Promise<Look> {
    const opened = await this.open(path);
    if (opened.kind !== "file") return opened;
    await using file = opened.file;
    return { kind: "file", facts: file.openedFacts };
  }

  async open(path: string): Promise<Opened> {
    // Opening a device can have side effects, so the entry is checked first; the descriptor is checked as well.
    const look = await this.look(path);
    if (look.kind !== "file") return look;
    let handle: FileHandle;
    try {
      handle = await open(pathBuffer(path), FLAGS);
    } catch (error) {
      return failedLook(error);
    }
    try {
      const stats = await handle.stat({ bigint: true });
      const refused = await this.#refuse(handle, stats, path);
      if (!refused) return { kind: "file", file: new DiskFile(handle, factsOf(stats)) };
      await handle.close();
      return refused;
    } catch (error) {
      await handle.close();
      return failedLook(error);
    }
  }

  async temporaryOf(path: string, names: TemporaryNames): Promise<string | undefined> {
    return await this.#siblings.temporaryOf(path, names);
  }

  async marker(path: string): Promise<string | undefined> {
    const look = await this.look(path + MARKER_SUFFIX);
    return look.kind === "file" ? look.facts.mtimeNs : undefined;
  }

  async openForWriting(
    path: string,
    facts: FileFacts,
    options?: WriterQuestion,
  ): ReturnType<WriterProbe["openForWriting"]> {
    return await this.#writers.openForWriting(path, facts, options);
  }

  /** Why the opened file is not a stream, or undefined. */
  async #refuse(handle: FileHandle, stats: BigIntStats, path: string): Promise<NotAFile | undefined> {
    const what = kindOfEntry(stats);
    if (what !== undefined) return { kind: "not_a_stream", what };
    const watch = this.#watches.find(({ root }) => isUnder(root, path));
    if (watch === undefined) return { kind: "not_a_stream", what: "a file outside every watch" };
    const real = await whereIs(handle, path);
    if (!(await this.#isInside(watch.root, real))) return OUTSIDE;
    const linked = await refusedLink(stats, real, watch.hardlinks);
    return linked === undefined ? undefined : { kind: "not_a_stream", what: linked };
  }

  /** A volume may be mounted elsewhere meanwhile, so before the answer is no the root is resolved again. */
  async #isInside(root: string, real: string): Promise<boolean> {
    const known = this.#realRoots.get(root);
    if (known !== undefined && isUnder(known, real)) return true;
    const now = decodePath(await realpath(pathBuffer(root), { encoding: "buffer" }));
    this.#realRoots.set(root, now);
    return isUnder(now, real);
  }
}

class DiskFile implements OpenFile {
  readonly openedFacts: FileFacts;
  readonly #handle: FileHandle;

  constructor(handle: FileHandle, openedFacts: FileFacts) {
    this.openedFacts = openedFacts;
    this.#handle = handle;
  }

  async facts(): Promise<FileFacts> {
    return await orFileError(async () => factsOf(await this.#handle.stat({ bigint: true })));
  }

  /** A read may return fewer bytes than requested; only 0 means the end. */
  async read(into: Uint8Array, offset: number): Promise<number> {
    let done = 0;
    while (done < into.length) {
      const { bytesRead } = await orFileError(() =>
        this.#handle.read(into, done, into.length - done, offset + done),
      );
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

async function orFileError<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const { code, message } = systemError(error);
    throw new FileError(code, message, error);
  }
}

/**
 * Path of an open file: from its descriptor, or from its name on systems without /proc. The kernel answers the former
 * from memory, whatever volume the file is on, so it needs no thread and takes a quarter of the time.
 */
async function whereIs(handle: FileHandle, path: string): Promise<string> {
  try {
    return decodePath(readlinkSync(`/proc/self/fd/${handle.fd}`, { encoding: "buffer" }));
  } catch (error) {
    if (!isMissing(error)) throw error;
    return decodePath(await realpath(pathBuffer(path), { encoding: "buffer" }));
  }
}

function failedLook(error: unknown): NotAFile {
  if (isMissing(error)) return { kind: "missing" };
  const { code, message } = systemError(error);
  // Between the check and the open another entry took the name.
  if (code === "ELOOP") return { kind: "not_a_stream", what: "a symbolic link" };
  if (code === "ENXIO") return { kind: "not_a_stream", what: "a socket or a device" };
  return { kind: "unreadable", code, detail: message };
}
