/** What the work on the object of one stream has at hand: its record, its rules, its store, its file. */
import { StoppedError } from "../errors.ts";
import type { Failpoint } from "../failpoints.ts";
import type { ProcessorDeps, WatchRules } from "../flow/dependencies.ts";
import type { OwnedStream } from "../flow/owned-stream.ts";
import type { PatientStore } from "../flow/patient-store.ts";
import type { StreamRecord } from "../stream/record.ts";
import type { FileFacts } from "../stream/identity.ts";
import type { SharedFile } from "./open-file.ts";
import type { Comparison } from "./standing-bytes.ts";

export interface ObjectContext {
  readonly held: OwnedStream;
  readonly rules: WatchRules;
  readonly store: PatientStore;
  readonly deps: ProcessorDeps;
  readonly signal: AbortSignal;
  readonly file: SharedFile;
  /** The stream was live when this process took it: what was done before it was last saved is not known. */
  readonly resumed: boolean;
  /** Uploads that have ended, as S3 said: a listing that shows one of them is not believed. */
  readonly ended: Set<string>;
  /** Taken up while Redis was found empty: S3 is asked before anything of this stream is sent, however late that is. */
  readonly recognise: boolean;
  /** The file beside the objects looked at so far, by key and ETag. */
  readonly compared: Map<string, Comparison>;
  /** A Create whose answer never came was taken for lost: the store may still carry it out, and leave an upload on our key. */
  readonly creates: { doubted: boolean };
  /** The object is salvaged: there is no file to compare it with. */
  readonly fileless?: true;
  /** As the file stood when its bytes last proved which file it is. */
  readonly proof: { facts?: FileFacts };
}

/** In `requested_action`: the stream is to end. It stays there until it has. */
export const ABORT = "abort";

export function isAbortWanted({ requested_action }: Pick<StreamRecord, "requested_action">): boolean {
  return requested_action === ABORT;
}

/** Right before an object comes to be: what is to be aborted is never completed. */
export function refuseIfAborted({ held }: Pick<ObjectContext, "held">): void {
  if (isAbortWanted(held.record)) throw new StoppedError("aborted by an operator");
}

/**
 * Whether an object may be made now. A lease that is fresh is not enough: it may have been lost and taken again while the
 * store was away, and another worker may have completed the stream, with more of the file, in between.
 */
export function mayMakeObject({ held, deps }: Pick<ObjectContext, "held" | "deps">): boolean {
  return deps.lease.fresh() && held.isOursStill(deps.lease);
}

/** A gap between two side effects, by its name: where a test build may be killed. */
export async function reach(context: Pick<ObjectContext, "deps">, name: Failpoint): Promise<void> {
  await context.deps.failpoint?.(name);
}
