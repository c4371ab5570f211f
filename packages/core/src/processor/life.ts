/** What the steps of one stream share while this process holds it, and what each step comes to. */
import { StoppedError } from "../errors.ts";
import type { Failpoint } from "../failpoints.ts";
import { LIMITS } from "../limits.ts";
import type { StreamRecord } from "../stream/record.ts";
import type { FailureReason } from "../stream/state.ts";
import type { Waiting } from "../stream/waiting.ts";
import type { FileHistory } from "./file-history.ts";
import type { OpenContext } from "./open-object.ts";
import type { Wakeup } from "./wakeup.ts";

/** How a processor's work on its stream ended. */
export type Ending =
  | { kind: "completed" }
  | { kind: "failed"; reason: FailureReason }
  /** Another file stands at the path: its stream is `successor`. */
  | { kind: "superseded"; successor: StreamRecord }
  /** Given back unfinished, for the next start or another worker. */
  | { kind: "released" }
  /** Another worker took it, or it was purged. */
  | { kind: "lost"; detail: string };

export type Step = { kind: "wait"; ms: number } | { kind: "again" } | { kind: "ended"; ending: Ending };

export const AGAIN: Step = { kind: "again" };

/** In `requested_action`: the stream is to end. It stays there until it has. */
export const ABORT = "abort";

export function isAbortWanted({ requested_action }: Pick<StreamRecord, "requested_action">): boolean {
  return requested_action === ABORT;
}

/** Right before an object comes to be: what is to be aborted is never completed. */
export function refuseIfAborted({ held }: Pick<OpenContext, "held">): void {
  if (isAbortWanted(held.record)) throw new StoppedError("aborted by an operator");
}

/** `context` changes nothing by itself. */
export interface Life {
  readonly context: OpenContext;
  readonly history: FileHistory;
  readonly wakeup: Wakeup;
  /** Parts being sent, by number. */
  readonly sending: Map<number, Promise<void>>;
  /**
   * While the stream waits for its parts: the file's size as last looked at. The end of one part begins the next up to
   * there, without another look; undefined: nothing may be begun.
   */
  fillTo: number | undefined;
  /** A resumed stream's upload has been compared with S3. */
  reconciled: boolean;
  readonly requested: { completion?: "finalize" | "term"; force: boolean };
  /** ctime at the rename that dropped a temporary suffix: whatever is written later has a later mtime. */
  renamedAtCtimeNs: string | undefined;
  /** The metadata object is written. */
  described: boolean;
  /** Times the finished object was not what was sent. */
  mismatches: number;
  /** The first error of a part being sent, for the next step to meet. */
  trouble: unknown;
  progressAtMs: number;
}

/** What needs a fresh lease waits for the next renewal. */
export async function awaitLease(life: Life, what: string): Promise<Step> {
  await progress(life, { for: "store", detail: `the worker's lease is not fresh; ${what} waits for it` });
  return { kind: "wait", ms: LIMITS.leaseRenewEveryMs };
}

/** No part is being sent any more, and none begins in the place of one that ends; how each ended is told elsewhere. */
export async function sendingDone(life: Life): Promise<void> {
  life.fillTo = undefined;
  await Promise.allSettled(life.sending.values());
}

export async function reach(context: Pick<OpenContext, "deps">, name: Failpoint): Promise<void> {
  await context.deps.failpoint?.(name);
}

/** Tells Redis why the stream is not final and how large its file is: at once when the reason is new, else now and then. */
export async function progress(life: Life, waiting: Waiting): Promise<void> {
  const { held, deps, store } = life.context;
  const now: Waiting = store.trouble === undefined ? waiting : { for: "store", detail: store.trouble };
  const text = JSON.stringify(now);
  const nowMs = deps.clock.monotonicMs();
  const sameReason = held.record.waiting_for?.startsWith(`{"for":"${now.for}"`) === true;
  const due = nowMs - life.progressAtMs >= LIMITS.progressEveryMs;
  if (sameReason && (!due || (text === held.record.waiting_for && !held.hasNotes))) return;
  life.progressAtMs = nowMs;
  await held.update({ patch: { waiting_for: text }, event: { type: "progress" } });
}

/** Store, lease or volume keeps the stream from going on. */
export function waitsForTrouble({ waiting_for: waiting }: StreamRecord): boolean {
  return waiting?.startsWith('{"for":"store"') === true || waiting?.startsWith('{"for":"volume"') === true;
}
