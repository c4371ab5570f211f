/**
 * The checkpoint in Redis. Every change of a stream is one atomic write that checks worker lease, owner and fence and
 * leaves the stream in exactly one index. Writes carry the revision they make, so a resent command changes nothing.
 * Redis away or slow is a CheckpointError; the caller tries again.
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

/** A change seen by the dashboard's live feed. */
export interface FeedEvent {
  type: "opened" | "progress" | "state" | "log" | "removed";
  detail?: string;
}

/**
 * A write that brings a failed stream back to life takes its path again; when another stream lives there now, it is
 * refused as `lost`.
 */
export interface StreamWrite {
  /** States the stream must be in; from the table of moves. */
  from: readonly Kind[];
  patch: RecordPatch;
  /** Upserted. */
  parts?: readonly Part[];
  /** All parts are forgotten first (a stream that starts again). */
  dropParts?: boolean;
  /** Keys of S3 objects taken for this stream, all or none; refused as `key_taken`. */
  takeKeys?: readonly string[];
  /** Keys given back. */
  releaseKeys?: readonly string[];
  /** The path becomes free: the stream is completed, failed, superseded or moved. */
  releasePath?: boolean;
  /** Entry of `files:done` to write for the stream's path. */
  done?: DoneEntry;
  log?: readonly string[];
  event?: FeedEvent;
  stats?: StatsDelta;
  /** Remove the stream's keys in the same step (no history, or nothing ever sent). */
  remove?: boolean;
  /** Of a rename only. */
  displaces?: StreamId;
}

export type WriteOutcome =
  | { kind: "written" }
  /** Another owner, another fence, or another state. */
  | { kind: "lost"; detail: string }
  | Older
  | { kind: "key_taken"; by: string };

/** Redis holds less of the stream than it confirmed to the caller. `gone`: nothing at all, which a removal explains too. */
export interface Older {
  kind: "older";
  gone: boolean;
  detail: string;
}

export type WrittenBack =
  /** Redis has everything: nothing was changed. */
  | { kind: "kept" }
  /** Under this fence. */
  | { kind: "written"; fence: number }
  /** A living worker took it meanwhile, or another stream has its path or key. */
  | { kind: "lost"; detail: string };

export interface NewStream {
  record: StreamRecord;
  log: readonly string[];
  /** Write on the stream this one replaces, in the same atomic step; it must free the path. */
  replacing?: { record: StreamRecord; write: StreamWrite };
  /**
   * The stream id of the `files:done` entry the caller knows at this path, "" for none. Another worker may have completed
   * the file since it was looked at: then nothing is opened. Absent: not asked.
   */
  knownDone?: string;
}

export type OpenOutcome =
  | { kind: "opened" }
  /** The path has a live stream already. */
  | { kind: "taken"; by: StreamId }
  /** Completed meanwhile, by a stream the caller does not know. */
  | { kind: "done"; entry: DoneEntry }
  /** Of the replaced stream. */
  | Older
  | { kind: "lost"; detail: string };

export type Claim =
  | { kind: "claimed"; record: StreamRecord }
  /** A living worker holds it. */
  | { kind: "held"; by: string }
  | { kind: "absent" };

export interface CheckpointStore {
  open(stream: NewStream): Promise<OpenOutcome>;
  /** `record` is the caller's copy before the write: its owner, fence and revision are the guard. */
  write(record: StreamRecord, write: StreamWrite): Promise<WriteOutcome>;
  /**
   * The path a stream is known by changes with a rename inside its watch; the index by path follows. `displaces`: a
   * stream that may hold the new path still, because its file is not there; it loses the path and keeps its record.
   */
  rename(
    record: StreamRecord,
    newPath: string,
    write: StreamWrite,
  ): Promise<WriteOutcome | { kind: "path_taken"; by: string }>;
  /**
   * Redis was emptied or came back older: the stream as its owner holds it in memory, with all its parts, under a higher
   * fence. Nothing is changed where Redis has everything.
   */
  writeBack(record: StreamRecord, parts: Parts): Promise<WrittenBack>;
  /** Takes streams without a living owner: fence + 1. One round trip for the whole list. */
  claim(ids: readonly StreamId[]): Promise<Claim[]>;
  /** Gives a stream back without a change, so that another worker may take it at once. */
  release(record: StreamRecord): Promise<void>;
  parts(id: StreamId): Promise<Parts>;
}
