/**
 * The local files, read only. An implementation never follows a link out of the watch, never blocks on a FIFO,
 * and never shortens a file: fewer bytes than asked for is an answer, a read that fails is a FileError.
 */
import type { TemporaryNames } from "../stream/temporary-names.ts";
import type { FileFacts } from "../stream/identity.ts";

export type Look =
  | { kind: "file"; facts: FileFacts }
  | { kind: "missing" }
  /** Not a regular file, or a link out of the watch. */
  | { kind: "not_a_stream"; what: string }
  /** EACCES, EIO, ESTALE …: the code and words of the system. */
  | { kind: "unreadable"; code: string; detail: string };

/** Trouble of the volume while it is read is a FileError. */
export interface OpenFile extends AsyncDisposable {
  /** As it was when it was opened. */
  readonly openedFacts: FileFacts;
  /** Of the open file, whatever has happened to its path since. */
  facts(): Promise<FileFacts>;
  /** Reads at `offset` until `into` is full or the file ends; returns the bytes read. */
  read(into: Uint8Array, offset: number): Promise<number>;
}

export type Opened = { kind: "file"; file: OpenFile } | Exclude<Look, { kind: "file" }>;

export interface WriterQuestion {
  /** Look at the processes anew: an answer from before this question does not count. */
  fresh?: boolean;
  /** The file is about to be deleted or moved: writers on other hosts count, where the file system can have them. */
  tidying?: boolean;
}

export type Writers =
  /** `mapped`: by a shared writable mapping, not by a descriptor. */
  | { kind: "open"; pid: number; command: string; mapped?: true }
  | { kind: "closed" }
  /** Some processes cannot be seen: why, as a whole sentence. */
  | { kind: "unknown"; detail: string };

export interface WriterProbe {
  /** Why some processes' open files cannot be seen from here, in plain words, as last looked; undefined: all are seen. */
  readonly unseen?: string | undefined;
  /** Whether a process is seen that can write the file now; `unknown` where processes cannot be seen. */
  openForWriting(path: string, facts: FileFacts, question?: WriterQuestion): Promise<Writers>;
}

export interface FileSource extends WriterProbe {
  look(path: string): Promise<Look>;
  /**
   * As `look`, after the file was opened: a network file system asks its server then, where a plain look may be answered
   * from a cache that is some seconds old.
   */
  lookAnew(path: string): Promise<Look>;
  open(path: string): Promise<Opened>;
  /** The path of a file beside it that bears its name and a temporary suffix; undefined when there is none. */
  temporaryOf(path: string, names: TemporaryNames): Promise<string | undefined>;
  /** mtime of the file's marker in ns as decimal text, or undefined without one. */
  marker(path: string): Promise<string | undefined>;
}

/** What must hold of a file before it is deleted or moved. */
export interface TidyChecks {
  /** What was verified: identity, size, mtime and ctime. */
  snapshot: FileFacts;
  /** Delete or move also where not every process that may write it can be seen. */
  unseen: boolean;
  /** Its markers go with it, unless one holds bytes and would be deleted: those are nowhere else. */
  markers?: readonly string[];
  /** Asked last, while nobody finds the file under its name: whether its object stands in S3 as it was verified. */
  proved(): Promise<boolean>;
}

/** What is done with a local file after its object is safe. Each step compares before it acts. */
export interface FileTidier {
  remove(path: string, checks: TidyChecks): Promise<TidyOutcome>;
  move(path: string, checks: TidyChecks, targetDirectory: string, relativePath: string): Promise<TidyOutcome>;
}

/** Unless it is `done` the file is where it was. */
export type TidyOutcome =
  | { kind: "done" }
  | { kind: "gone" }
  /** Another file, another size or mtime. */
  | { kind: "changed" }
  /** Its ctime alone moved: only reading it tells whether it is as it was verified. */
  | { kind: "touched"; now: FileFacts }
  | Extract<Writers, { kind: "open" }>
  /** Not all processes that may write it can be seen. */
  | { kind: "unseen"; detail: string }
  | { kind: "unproved" }
  | { kind: "impossible"; detail: string };
