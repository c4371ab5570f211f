/** What the steps of one stream share while this process holds it, and what each step comes to. */
import { LIMITS } from "../limits.ts";
import type { FileFacts } from "../stream/identity.ts";
import type { StreamRecord } from "../stream/record.ts";
import type { FailureReason } from "../stream/failures.ts";
import type { StreamId } from "../stream/values.ts";
import { formatWaiting, parseWaiting, saysTheSame, type Waiting } from "../stream/waiting.ts";
import type { FileHistory } from "./file-history.ts";
import type { SendingRate } from "../flow/sending-rate.ts";
import type { Wakeup } from "../flow/wakeup.ts";
import type { ObjectContext } from "../object/context.ts";

/** How a processor's work on its stream ended. */
export type Outcome =
  /**
   * `changed`: its file is no longer what was stored, or another is at its path: it is looked at at once. `unseen`: its
   * file was kept because whoever may still write it cannot be seen.
   */
  | { kind: "completed"; changed?: boolean; unseen?: boolean }
  | { kind: "failed"; reason: FailureReason }
  /** Stream `by` stands in its place; `successor` where that one begins with this ending. */
  | { kind: "superseded"; by: StreamId; successor: StreamRecord | undefined }
  /** Nothing of it was in S3, and its record is gone. */
  | { kind: "removed" }
  /** Given back unfinished, for the next start or another worker. */
  | { kind: "released" }
  /** Another worker took it, or it was purged. */
  | { kind: "lost"; detail: string };

export type Step =
  /** `writtenMs`: the wait is that long at most when bytes are written to the file; absent: it ends with the first. */
  { kind: "wait"; ms: number; writtenMs?: number } | { kind: "again" } | { kind: "ended"; outcome: Outcome };

export const AGAIN: Step = { kind: "again" };

/** What this process knows of a file that waits to be tidied. Nothing of it is kept: the next process asks anew. */
export interface Stored {
  /** Monotonic ms since which the delay counts; undefined until it is known. */
  sinceMs: number | undefined;
  /** This process saw the object proved equal to the file; else the record alone says so. */
  proved: boolean;
  /** What the file looked like when it was read again and found to be as it was verified. */
  facts: FileFacts | undefined;
  /** End of the delay by the wall clock, as it was last shown. */
  untilMs: number | undefined;
  /** Why writers cannot be seen, as it was first said. */
  unseen: string | undefined;
  /** Monotonic ms at which the whole watch was last searched for it. */
  soughtMs: number | undefined;
}

/** `context` changes nothing by itself. */
export interface StreamContext {
  readonly context: ObjectContext;
  readonly history: FileHistory;
  readonly wakeup: Wakeup;
  /** Parts being sent, by number. */
  readonly sending: Map<number, Promise<void>>;
  readonly rate: SendingRate;
  /** Number of the part that is being sent as a tail. */
  tailNumber: number | undefined;
  /**
   * While the stream waits for its parts: the file's size as last looked at. The end of one part begins the next up to
   * there, without another look; undefined: nothing may be begun.
   */
  fillTo: number | undefined;
  /** A resumed stream's upload has been compared with S3. */
  reconciled: boolean;
  /** Taken up while Redis may be older than it was: S3 has been asked whether the stream was completed already. */
  askedFirst: boolean;
  /** `ending`: the worker ends as soon as nothing is at risk. */
  readonly requested: { completion?: "finalize" | "term"; force: boolean; ending?: true };
  /** ctime at the rename that dropped a temporary suffix: whatever is written later has a later mtime. */
  renamedAtCtimeNs: string | undefined;
  /** The metadata object is written. */
  described: boolean;
  /** Of a stream whose object exists. */
  readonly stored: Stored;
  /** Times the finished object was not what was sent. */
  mismatches: number;
  /** The first error of a part being sent, for the next step to meet. */
  trouble: unknown;
  progressAtMs: number;
}

/** What needs a fresh lease waits for the next renewal. */
export async function awaitLease(stream: StreamContext, what: string): Promise<Step> {
  await progress(stream, { for: "lease", detail: `${what} waits for it` });
  return { kind: "wait", ms: LIMITS.leaseRenewEveryMs };
}

/** No part is being sent any more, and none begins in the place of one that ends; each handles its own result. */
export async function sendingDone(stream: StreamContext): Promise<void> {
  stream.fillTo = undefined;
  const { held, deps } = stream.context;
  deps.safeguard?.withdraw(held.record.id);
  await Promise.allSettled(stream.sending.values());
}

/** Writes to Redis why the stream is not final and how large its file is: at once when the reason is new, else now and then. */
export async function progress(stream: StreamContext, waiting: Waiting): Promise<void> {
  const { held, deps, store } = stream.context;
  // While the store is in trouble, parts wait for the store.
  const now = store.trouble ?? (waiting.for === "parts" ? store.blocked : undefined) ?? waiting;
  const nowMs = deps.clock.monotonicMs();
  const before = parseWaiting(held.record.waiting_for);
  const due = nowMs - stream.progressAtMs >= LIMITS.progressEveryMs;
  if (before?.for === now.for && (!due || (saysTheSame(before, now) && !held.hasNotes))) return;
  stream.progressAtMs = nowMs;
  await held.update({ patch: { waiting_for: formatWaiting(now) }, event: { type: "progress" } });
}

/** Store, lease or volume keeps the stream from going on. */
export function waitsForTrouble(record: Pick<StreamRecord, "waiting_for">): boolean {
  const waiting = parseWaiting(record.waiting_for)?.for;
  return waiting === "store" || waiting === "lease" || waiting === "volume";
}
