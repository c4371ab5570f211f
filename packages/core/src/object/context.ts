/** The context of the work on one stream's object: its record, rules, store and file. */
import { StoppedError } from "../errors.ts";
import type { Failpoint } from "../failpoints.ts";
import type { ProcessorDeps, WatchRules } from "../flow/dependencies.ts";
import type { OwnedStream } from "../flow/owned-stream.ts";
import type { PatientStore } from "../flow/patient-store.ts";
import type { StreamRecord } from "../stream/record.ts";
import type { FileFacts } from "../stream/identity.ts";
import type { SharedFile } from "./open-file.ts";
import type { Comparison, CopyOf } from "./matching-bytes.ts";

export interface ObjectContext {
  readonly held: OwnedStream;
  readonly rules: WatchRules;
  readonly store: PatientStore;
  readonly deps: ProcessorDeps;
  readonly signal: AbortSignal;
  readonly file: SharedFile;
  /** The stream was live when this process took it over: what was done since it was last saved is unknown. */
  readonly resumed: boolean;
  /** Uploads that have ended according to S3: a listing that shows one of them is not trusted. */
  readonly ended: Set<string>;
  /**
   * Taken over while Redis was found empty: S3 is asked before anything of this stream is sent, however late that is.
   */
  readonly recognise: boolean;
  /** Results of comparing the file with objects, by key and ETag. */
  readonly compared: Map<string, Comparison>;
  /** Our longer object that the file so far begins like. */
  readonly copy: { of?: CopyOf | undefined };
  /** A Create without an answer was taken for lost: the store may still carry it out and leave an upload on our key. */
  readonly creates: { doubted: boolean };
  /** An object of this stream was found at its key by surprise: a request took effect after it had been taken for lost. */
  readonly landed: { late: boolean };
  /** The object is salvaged: there is no file to compare it with. */
  readonly fileless?: true;
  /** The state of the file when its bytes last proved which file it is. */
  readonly proof: { facts?: FileFacts };
}

/** Value of `requested_action`: the stream is to end. It stays until the stream has ended. */
export const ABORT = "abort";

export function isAbortWanted({ requested_action }: Pick<StreamRecord, "requested_action">): boolean {
  return requested_action === ABORT;
}

/** Called right before an object is made: a stream that is to be aborted is never completed. */
export function refuseIfAborted({ held }: Pick<ObjectContext, "held">): void {
  if (isAbortWanted(held.record)) throw new StoppedError("aborted by an operator");
}

/**
 * Whether an object may be made now, or an upload for it. A fresh lease is not enough: it may have been lost and taken
 * again while the store was unavailable, and another worker may have completed the stream, with more of the file, in
 * between.
 */
export function mayMakeObject({ held, deps }: Pick<ObjectContext, "held" | "deps">): boolean {
  return deps.lease.fresh() && held.isOursStill(deps.lease);
}

/** A gap between two side effects, by its name: a test build may be killed there. */
export async function reach(context: Pick<ObjectContext, "deps">, name: Failpoint): Promise<void> {
  await context.deps.failpoint?.(name);
}
