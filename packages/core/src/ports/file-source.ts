/**
 * The local files, read only. An implementation never follows a link out of the watch, never blocks on a FIFO,
 * and never shortens a file: fewer bytes than asked for is an answer, a read that fails is a FileError.
 */
import type { TemporaryNames } from "../paths/temporary-names.ts";
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

export interface WriterProbe {
  /** Why some processes' open files cannot be seen from here, in plain words, as last looked; undefined: all are seen. */
  readonly unseen?: string | undefined;
  /** Whether a process is seen holding the file open for writing; `unknown` where processes cannot be seen. */
  openForWriting(
    path: string,
    facts: FileFacts,
  ): Promise<{ kind: "open"; pid: number; command: string } | { kind: "closed" } | { kind: "unknown" }>;
}

export interface FileSource extends WriterProbe {
  look(path: string): Promise<Look>;
  open(path: string): Promise<Opened>;
  /** The path of a file beside it that bears its name and a temporary suffix; undefined when there is none. */
  temporaryOf(path: string, names: TemporaryNames): Promise<string | undefined>;
  /** mtime of the file's marker in ns as decimal text, or undefined without one. */
  marker(path: string): Promise<string | undefined>;
}

/** What is done with a local file after its object is safe. Each step compares before it acts. */
export interface FileTidier {
  /** `snapshot`: what was verified. Any difference puts the name back and reports `changed`. */
  remove(path: string, snapshot: FileFacts): Promise<TidyOutcome>;
  move(
    path: string,
    snapshot: FileFacts,
    targetDirectory: string,
    relativePath: string,
  ): Promise<TidyOutcome>;
}

export type TidyOutcome =
  | { kind: "done" }
  | { kind: "gone" }
  | { kind: "changed" }
  | { kind: "impossible"; detail: string };
