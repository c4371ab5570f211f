/** What a processor works with. Built once by the composition root, shared by every stream of the worker. */
import type { ReachFailpoint } from "../failpoints.ts";
import type { CheckpointStore } from "../ports/checkpoint-store.ts";
import type { TemporaryNames } from "../paths/temporary-names.ts";
import type { Clock } from "../ports/clock.ts";
import type { Digests } from "../ports/digests.ts";
import type { FileSource, FileTidier } from "../ports/file-source.ts";
import type { ObjectRef, ObjectStore } from "../ports/object-store.ts";
import type { Observer } from "../ports/observer.ts";
import type { StreamRecord, VerifyMode } from "../stream/record.ts";
import type { PlanChoice } from "../parts/part-plan.ts";
import type { StoreGate } from "./store-gate.ts";
import type { UploadLane } from "./upload-lane.ts";

/** The worker's lease as a processor sees it. */
export interface Lease {
  /** Whether the lease was renewed recently enough, on the monotonic clock, to send Complete. */
  fresh(): boolean;
}

/** What became of a file that is not at its path any more. Only the supervisor sees the whole watch. */
export type Whereabouts =
  | { kind: "back" }
  | { kind: "renamed"; path: string }
  | { kind: "offline"; detail: string }
  | { kind: "missing" };

export interface Volume {
  whereabouts(record: StreamRecord): Promise<Whereabouts>;
  /** Whether the object is that of a completed file which is at another path by now: a rotated log keeps its object. */
  keepsObject?(ref: ObjectRef, path: string): boolean;
}

export type AfterUpload = { kind: "keep" } | { kind: "delete" } | { kind: "move"; directory: string };
export type OnConflict = "keep-both" | "overwrite" | "fail";
/** What the newest file at a path does with our own earlier object of that path, when that was another file. */
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
  clock: Clock;
  observer: Observer;
  digests: Digests;
  lane: UploadLane;
  /** For files that go up in one small request: they hold no part's buffer, and none of them waits for a part. */
  smallLane: UploadLane;
  /** Takes turns for the reads of verify passes. */
  verifyLane: UploadLane;
  gate: StoreGate;
  lease: Lease;
  random: () => number;
  newId: () => string;
  /** `recognise`: Redis was found empty; look in S3 before sending anything. */
  recovery: { recognise: boolean };
  worker: { id: string; version: string };
  /** Test builds only: called in each gap between two side effects. */
  failpoint?: ReachFailpoint | undefined;
}
