/**
 * The checkpoint in Redis. Every change of a stream is one atomic write that checks worker lease, owner and fence and
 * leaves the stream in exactly one index. Writes contain the revision they create, so a resent command changes nothing.
 * If Redis is unavailable or slow, the call rejects with a CheckpointError and the caller retries.
 */
import type { Part, Parts, RecordPatch, StreamRecord } from "../stream/record.ts";
import type { Kind } from "../stream/state.ts";
import type { StreamId } from "../stream/values.ts";
import type { DoneEntry } from "../stream/completed-file.ts";

/** Counted in the same script as the change itself. */
export interface StatsDelta {
  /** Bytes the files grew by. */
  bytes_in?: number;
  /** Bytes S3 acknowledged. */
  bytes_sent?: number;
  parts?: number;
  retries?: number;
  failures?: number;
  completed?: number;
}

/** A change for the dashboard's live feed. */
export interface FeedEvent {
  type: "opened" | "progress" | "state" | "log" | "removed";
  detail?: string;
}

/**
 * A write that revives a failed stream takes its path again; it is refused as `lost` if another live stream has that
 * path.
 */
export interface StreamWrite {
  /** States the stream must be in; from the table of moves. */
  from: readonly Kind[];
  patch: RecordPatch;
  /** Inserted or updated. */
  parts?: readonly Part[];
  /** All parts are removed first (a stream that starts over). */
  dropParts?: boolean;
  /** Keys of S3 objects to take for this stream, all or none; refused as `key_taken`. */
  takeKeys?: readonly string[];
  /** Keys to release. */
  releaseKeys?: readonly string[];
  /** Releases the path: the stream is completed, failed, superseded or moved. */
  releasePath?: boolean;
  /** Entry of `files:done` to write for the stream's path. */
  done?: DoneEntry;
  log?: readonly string[];
  event?: FeedEvent;
  stats?: StatsDelta;
  /** Removes the stream's keys in the same step (no history, or nothing was ever sent). */
  remove?: boolean;
  /** Only for a rename. */
  displaces?: StreamId;
}

export type WriteOutcome =
  | { kind: "written" }
  /** Another owner, another fence, or another state. */
  | { kind: "lost"; detail: string }
  | Older
  | { kind: "key_taken"; by: string };

/**
 * Redis has less of the stream than it confirmed to the caller. `gone`: nothing at all, which may also be due to a
 * removal.
 */
export interface Older {
  kind: "older";
  gone: boolean;
  detail: string;
}

export type WrittenBack =
  /** Redis has everything: nothing was changed. */
  | { kind: "kept" }
  /** With this fence. */
  | { kind: "written"; fence: number }
  /** A live worker took it meanwhile, or another stream has its path or key. */
  | { kind: "lost"; detail: string };

export interface NewStream {
  record: StreamRecord;
  log: readonly string[];
  /** A write on the stream that this one replaces, in the same atomic step; it must release the path. */
  replacing?: { record: StreamRecord; write: StreamWrite };
  /**
   * The stream id of the `files:done` entry that the caller knows at this path, "" for none. If another worker has
   * completed the file since, nothing is opened. Absent: not checked.
   */
  knownDone?: string;
}

export type OpenOutcome =
  | { kind: "opened" }
  /** The path already has a live stream. */
  | { kind: "taken"; by: StreamId }
  /** Completed meanwhile, by a stream the caller does not know. */
  | { kind: "done"; entry: DoneEntry }
  /** For the replaced stream. */
  | Older
  | { kind: "lost"; detail: string };

export type Claim =
  | { kind: "claimed"; record: StreamRecord }
  /** A live worker holds it. */
  | { kind: "held"; by: string }
  | { kind: "absent" };

export interface CheckpointStore {
  open(stream: NewStream): Promise<OpenOutcome>;
  /** `record` is the caller's copy before the write: its owner, fence and revision are checked. */
  write(record: StreamRecord, write: StreamWrite): Promise<WriteOutcome>;
  /**
   * Changes the path of a stream after a rename inside its watch, and the index by path with it. `displaces`: a stream
   * that may still hold the new path although its file no longer exists; it loses the path and keeps its record.
   */
  rename(
    record: StreamRecord,
    newPath: string,
    write: StreamWrite,
  ): Promise<WriteOutcome | { kind: "path_taken"; by: string }>;
  /**
   * After Redis was emptied or restored from an older state: writes the stream with all its parts from its owner's
   * memory, under a higher fence. Changes nothing if Redis has everything.
   */
  writeBack(record: StreamRecord, parts: Parts): Promise<WrittenBack>;
  /** Takes streams without a live owner: fence + 1. One round trip for the whole list. */
  claim(ids: readonly StreamId[]): Promise<Claim[]>;
  /** Releases a stream without a change, so that another worker may take it at once. */
  release(record: StreamRecord): Promise<void>;
  parts(id: StreamId): Promise<Parts>;
}
