/**
 * Read-only access to the local files. An implementation never follows a link out of the watch, never blocks on a FIFO,
 * and never shortens a file: fewer bytes than requested is a result, a failed read is a FileError.
 */
import type { TemporaryNames } from "../stream/temporary-names.ts";
import type { FileFacts } from "../stream/identity.ts";

export type Look =
  | { kind: "file"; facts: FileFacts }
  | { kind: "missing" }
  /** Not a regular file, or a link out of the watch. */
  | { kind: "not_a_stream"; what: string }
  /** EACCES, EIO, ESTALE …: code and message of the system. */
  | { kind: "unreadable"; code: string; detail: string };

/** A problem of the volume during a read is a FileError. */
export interface OpenFile extends AsyncDisposable {
  /** The facts at the time of opening. */
  readonly openedFacts: FileFacts;
  /** Of the open file, whatever has happened to its path since. */
  facts(): Promise<FileFacts>;
  /** Reads at `offset` until `into` is full or the file ends; returns the bytes read. */
  read(into: Uint8Array, offset: number): Promise<number>;
}

export type Opened = { kind: "file"; file: OpenFile } | Exclude<Look, { kind: "file" }>;

export interface WriterQuestion {
  /** Scan the processes again: an earlier result does not count. */
  fresh?: boolean;
  /** The file is about to be deleted or moved: on file systems that other hosts can use, their writers count. */
  tidying?: boolean;
}

export type Writers =
  /** `mapped`: by a shared writable mapping, not by a descriptor. */
  | { kind: "open"; pid: number; command: string; mapped?: true }
  | { kind: "closed" }
  /** Some processes cannot be seen: why, as a whole sentence. */
  | { kind: "unknown"; detail: string };

export interface WriterProbe {
  /** Why the open files of some processes cannot be seen from here, as of the last scan; undefined: all are seen. */
  readonly unseen?: string | undefined;
  /** Whether a process is seen that can write the file now; `unknown` if processes cannot be seen. */
  openForWriting(path: string, facts: FileFacts, question?: WriterQuestion): Promise<Writers>;
}

export interface FileSource extends WriterProbe {
  look(path: string): Promise<Look>;
  /**
   * As `look`, but opens the file first, which makes a network file system ask its server, whereas a plain stat may be
   * answered from a cache that is some seconds old.
   */
  lookFresh(path: string): Promise<Look>;
  open(path: string): Promise<Opened>;
  /** The path of a file next to it with its name and a temporary suffix; undefined if there is none. */
  temporaryOf(path: string, names: TemporaryNames): Promise<string | undefined>;
  /** mtime of the file's marker in ns as decimal text, or undefined without one. */
  marker(path: string): Promise<string | undefined>;
}

/** What must be true of a file before it is deleted or moved. */
export interface TidyChecks {
  /** The verified identity, size, mtime and ctime. */
  snapshot: FileFacts;
  /** Delete or move even if not every process that may write it can be seen. */
  unseen: boolean;
  /** Its markers go with it, unless one holds bytes and would be deleted: those are nowhere else. */
  markers?: readonly string[];
  /** Called last, while the file is hidden: whether its object exists in S3 as it was verified. */
  proved(): Promise<boolean>;
}

/** What happens to a local file after its object is safe. Each step compares before it acts. */
export interface FileTidier {
  remove(path: string, checks: TidyChecks): Promise<TidyOutcome>;
  move(path: string, checks: TidyChecks, targetDirectory: string, relativePath: string): Promise<TidyOutcome>;
}

/** Unless it is `done`, the file is where it was. */
export type TidyOutcome =
  | { kind: "done" }
  | { kind: "gone" }
  /** Another file, another size or mtime. */
  | { kind: "changed" }
  /** Only its ctime changed: it must be read to find out whether it is as it was verified. */
  | { kind: "touched"; now: FileFacts }
  | Extract<Writers, { kind: "open" }>
  /** Not all processes that may write it can be seen. */
  | { kind: "unseen"; detail: string }
  | { kind: "unproved" }
  | { kind: "impossible"; detail: string };
