/** What the steps of one stream share while this process holds it, and the results of a step. */
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
   * `changed`: its file is no longer what was stored, or another is at its path: it is checked at once. `unseen`: its
   * file was kept because its writers cannot be seen.
   */
  | { kind: "completed"; changed?: boolean; unseen?: boolean }
  | { kind: "failed"; reason: FailureReason }
  /** Stream `by` replaces it; `successor` if that one starts with this end. */
  | { kind: "superseded"; by: StreamId; successor: StreamRecord | undefined }
  /** S3 had nothing of it, and its record is removed. */
  | { kind: "removed" }
  /** Released unfinished, for the next start or another worker. */
  | { kind: "released" }
  /** Another worker took it, or it was purged. */
  | { kind: "lost"; detail: string };

export type Step =
  /** `writtenMs`: the maximum wait once bytes are written to the file; absent: the first write ends it. */
  { kind: "wait"; ms: number; writtenMs?: number } | { kind: "again" } | { kind: "ended"; outcome: Outcome };

export const AGAIN: Step = { kind: "again" };

/** What this process knows about a file that waits to be tidied. It is never saved: the next process checks again. */
export interface Stored {
  /** Monotonic ms from which the delay counts; undefined until it is known. */
  sinceMs: number | undefined;
  /** This process saw the object proved equal to the file; otherwise only the record says so. */
  proved: boolean;
  /** The facts of the file when it was read again and found as verified. */
  facts: FileFacts | undefined;
  /** End of the delay on the wall clock, as last shown. */
  untilMs: number | undefined;
  /** Why writers cannot be seen, as first reported. */
  unseen: string | undefined;
  /** Monotonic ms at which the whole watch was last searched for it. */
  searchedMs: number | undefined;
}

/** What this process met of uploads that the store no longer knew. */
interface LostUploads {
  /** In a row, and the monotonic time of the last one. */
  times: number;
  atMs: number;
  /** A part's answer says that the upload is gone. */
  doubted: boolean;
  /** Times ListParts showed it all the same, and how many parts it had then. */
  contradictions: number;
  parts: number;
}

/** When the markers of a growing file were last looked for, and with what result. */
export interface MarkerLook {
  /** Monotonic ms. */
  atMs: number;
  /** Of the file. */
  path: string;
  /** Name and mtime of each that was there. */
  found: readonly { name: string; mtimeNs: string }[];
}

/** `context` changes nothing by itself. */
export interface StreamContext {
  readonly context: ObjectContext;
  readonly history: FileHistory;
  readonly wakeup: Wakeup;
  /** Parts in flight, by number. */
  readonly sending: Map<number, Promise<void>>;
  readonly rate: SendingRate;
  /** Number of the part that is being sent as a tail. */
  tailNumber: number | undefined;
  /**
   * While the stream waits for its parts: the file's size at the last check. The end of one part starts the next up to
   * there, without another check; undefined: nothing may be started.
   */
  fillTo: number | undefined;
  /** A resumed stream's upload has been compared with S3. */
  reconciled: boolean;
  /** Taken over while Redis may be older than before: S3 has been asked whether the stream was already completed. */
  askedFirst: boolean;
  /** `ending`: the worker shuts down as soon as no data is at risk. */
  readonly requested: { completion?: "finalize" | "term"; force: boolean; ending?: true };
  /** ctime at the rename that removed a temporary suffix: later writes have a later mtime. */
  renamedAtCtimeNs: string | undefined;
  /** The metadata object is written. */
  described: boolean;
  /** For a stream whose object exists. */
  readonly stored: Stored;
  /** How often the finished object differed from what was sent. */
  mismatches: number;
  readonly lost: LostUploads;
  /** The first error of a part in flight, to be handled by the next step. */
  trouble: unknown;
  progressAtMs: number;
  /** How often it was poked; a marker may be the reason. */
  pokes: number;
  /** Undefined: they must be looked for at the next check. */
  markers: MarkerLook | undefined;
}

/** Work that needs a fresh lease waits for the next renewal. */
export async function awaitLease(stream: StreamContext, what: string): Promise<Step> {
  await progress(stream, { for: "lease", detail: `${what} waits for it` });
  return { kind: "wait", ms: LIMITS.leaseRenewEveryMs };
}

/** Waits until no part is in flight, and none is started when one ends; each handles its own result. */
export async function sendingDone(stream: StreamContext): Promise<void> {
  stream.fillTo = undefined;
  const { held, deps } = stream.context;
  deps.safeguard?.withdraw(held.record.id);
  await Promise.allSettled(stream.sending.values());
}

/**
 * Writes to Redis why the stream is not final and how large its file is: at once if the reason is new, else
 * occasionally.
 */
export async function progress(stream: StreamContext, waiting: Waiting): Promise<void> {
  const { held, deps, store } = stream.context;
  // While the store is unavailable, parts wait for the store.
  const now = store.trouble ?? (waiting.for === "parts" ? store.blocked : undefined) ?? waiting;
  const nowMs = deps.clock.monotonicMs();
  const before = parseWaiting(held.record.waiting_for);
  const due = nowMs - stream.progressAtMs >= LIMITS.progressEveryMs;
  if (before?.for === now.for && (!due || (saysTheSame(before, now) && !held.hasNotes))) return;
  stream.progressAtMs = nowMs;
  await held.update({ patch: { waiting_for: formatWaiting(now) }, event: { type: "progress" } });
}

/** Whether store, lease or volume block the stream. */
export function waitsForTrouble(record: Pick<StreamRecord, "waiting_for">): boolean {
  const waiting = parseWaiting(record.waiting_for)?.for;
  return waiting === "store" || waiting === "lease" || waiting === "volume";
}
