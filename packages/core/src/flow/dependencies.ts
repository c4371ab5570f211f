/** The dependencies of a processor. Built once by the composition root, shared by every stream of the worker. */
import type { ReachFailpoint } from "../failpoints.ts";
import type { CheckpointStore } from "../ports/checkpoint-store.ts";
import type { TemporaryNames } from "../stream/temporary-names.ts";
import type { Clock } from "../ports/clock.ts";
import type { Digests } from "../ports/digests.ts";
import type { FileSource, FileTidier } from "../ports/file-source.ts";
import type { ObjectRef, ObjectStore } from "../ports/object-store.ts";
import type { Observer } from "../ports/observer.ts";
import type { FileFacts } from "../stream/identity.ts";
import type { NewRecord } from "../stream/new-record.ts";
import type { StreamRecord, VerifyMode } from "../stream/record.ts";
import type { StreamId } from "../stream/values.ts";
import type { PlanChoice } from "../stream/part-plan.ts";
import type { StoreGate } from "./store-gate.ts";
import type { TailBudget } from "./tail-budget.ts";
import type { UploadLane } from "./upload-lane.ts";
import type { DoneEntry } from "../stream/completed-file.ts";

/** The worker's lease as a processor sees it. */
export interface Lease {
  /** Whether the lease was renewed recently enough, on the monotonic clock, to send Complete. */
  fresh(): boolean;
  /** Since when it has been held without a gap (monotonic). In a gap another worker may have taken any stream. */
  readonly heldSinceMs: number;
}

/** What is known about a Redis that may have lost writes it acknowledged. */
export interface Recovery {
  /** Redis was found empty or older: look in S3 before sending anything. */
  readonly recognise: boolean;
  /**
   * Redis has less of a stream than it confirmed at `confirmedAtMs` (monotonic). Resolves with whether Redis lost it: a
   * missing record may also have been removed by a worker that took the stream while our lease had lapsed.
   */
  wentBack(seen: { gone: boolean; confirmedAtMs: number }): Promise<boolean>;
}

/** Where the file of a stream is if its path does not lead to it. Only the supervisor sees every watch. */
export type Whereabouts =
  /** The path leads to it. */
  | { kind: "back" }
  /** `displaces`: a stream of this worker that still holds the new path, although its own file no longer exists. */
  | { kind: "renamed"; path: string; displaces?: StreamId | undefined }
  /** Inside another watch, under whose rules it is a new stream. */
  | { kind: "moved"; to: Place; facts: FileFacts }
  /** It was found nowhere, and another file is at its path. */
  | { kind: "replaced"; facts: FileFacts }
  /** It was found nowhere, or has two streams: what is at its path, or the file itself, is the file of stream `by`. */
  | { kind: "overtaken"; by: StreamId }
  | { kind: "offline"; detail: string }
  | { kind: "missing" };

/** What a stream takes from the watch of its file. */
export type Place = Pick<
  NewRecord,
  "path" | "watch" | "bucket" | "keyPrefix" | "contentType" | "verify" | "plan"
>;

export interface Volume {
  whereabouts(record: StreamRecord): Promise<Whereabouts>;
  /** The stream has followed its file: another file at its former path may get a stream now. */
  followed(record: StreamRecord, before: string): void;
  /** Whether the object is that of a completed file which is now at another path: a rotated log keeps its object. */
  keepsObject?(ref: ObjectRef, path: string): Promise<boolean>;
}

/** What `files:done` has for the paths of this source. */
export interface CompletedFiles {
  entry(path: string): DoneEntry | undefined;
  /**
   * The file at the path is shorter than the completed one: from now on a file that grows there never replaces its
   * object.
   */
  seenShorter(path: string): Promise<void>;
}

export type AfterUpload = { kind: "keep" } | { kind: "delete" } | { kind: "move"; directory: string };
export type OnConflict = "keep-both" | "overwrite" | "fail";
/** What the newest file at a path does with our own earlier object of that path, if that was another file. */
export type OnReplace = "keep-both" | "replace";

/** The rules of the stream's watch. Times in ms. */
export interface WatchRules {
  name: string;
  root: string;
  idleTimeoutMs: number;
  idleMaxMs: number;
  ignoreOpen: boolean;
  verify: VerifyMode;
  temporaryNames: TemporaryNames;
  onConflict: OnConflict;
  onReplace: OnReplace;
  afterUpload: AfterUpload;
  /** Undefined: 10 min after an idle completion, at once after any other. */
  afterUploadDelayMs?: number | undefined;
  /** Delete or move after an idle completion even if writers cannot be seen. */
  tidyUnseen: boolean;
  historyMs: number;
  plan: PlanChoice;
  /** User metadata added to every object. */
  metadata: Readonly<Record<string, string>>;
}

export interface ProcessorDeps {
  store: ObjectStore;
  checkpoints: CheckpointStore;
  files: FileSource;
  tidier: FileTidier;
  volume: Volume;
  completed: CompletedFiles;
  clock: Clock;
  observer: Observer;
  digests: Digests;
  lane: UploadLane;
  /** For files that are sent in one small request: they need no part's buffer, and never wait for a part. */
  smallLane: UploadLane;
  /** Limits the reads of verify passes. */
  verifyLane: UploadLane;
  gate: StoreGate;
  /** How long after its beginning a request with a body of so many bytes may still be carried out. */
  bodyDeadlineMs: (bytes: number) => number;
  /** Absent: a growing file's tail waits for the seal. */
  safeguard?: TailBudget | undefined;
  lease: Lease;
  random: () => number;
  newId: () => string;
  /** The buckets of this worker, the one for new objects first; absent: any. */
  buckets?: readonly string[] | undefined;
  recovery: Recovery;
  worker: { id: string; version: string };
  /** Only in test builds: called in each gap between two side effects. */
  failpoint?: ReachFailpoint | undefined;
}
