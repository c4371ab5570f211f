/**
 * What happens to the local file once its object is stored and described. During the delay, the file is checked like
 * any other: a change ends the wait, and the stream completes with what it stored. In doubt the file is kept.
 *
 *     delay over → object exists, ours, as recorded → (record of another process: local bytes read again)
 *     → the tidier hides the file, checks for writers, compares, checks the object again, and acts
 */
import { RECOGNISED } from "../object/object-headers.ts";
import { StoreError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { TidyChecks, TidyOutcome } from "../ports/file-source.ts";
import type { Head } from "../ports/object-store.ts";
import type { TidyFailure } from "../ports/observer.ts";
import { sameFile, type FileFacts, sealedFacts } from "../stream/identity.ts";
import type { StreamRecord } from "../stream/record.ts";
import { compareWithSnapshot } from "../stream/snapshot.ts";
import type { WatchRules } from "../flow/dependencies.ts";
import { markerOf, waitsForWriter } from "./grow.ts";
import { MARKER_SUFFIX } from "../stream/temporary-names.ts";
import { AGAIN, progress, type StreamContext, type Step } from "./stream-context.ts";
import {
  holdsLocalBytes,
  judgeObject,
  inspectObject,
  tokenOf,
  type ObjectProof,
} from "../object/stored-object.ts";
import { reach } from "../object/context.ts";
import { sendAgain } from "./supersede.ts";

/** How the wait for the local file ended. */
export type Tidied =
  | { kind: "step"; step: Step }
  /** `changed`: the file is not as it was stored, or another is at its path: it is checked at once. */
  | { kind: "over"; changed: boolean; failure?: { reason: TidyFailure; detail: string } };

/** How long the local file is left alone after it was stored, ms; undefined if it is kept. */
export function tidyDelayMs(
  { completed_by: by, verify_result: result }: Pick<StreamRecord, "completed_by" | "verify_result">,
  { afterUpload, afterUploadDelayMs }: Pick<WatchRules, "afterUpload" | "afterUploadDelayMs">,
): number | undefined {
  if (afterUpload.kind === "keep") return undefined;
  const delayMs = afterUploadDelayMs ?? (by === "idle" ? IDLE_TIDY_DELAY_MS : 0);
  return result === RECOGNISED ? Math.max(delayMs, RECOGNISED_TIDY_DELAY_MS) : delayMs;
}

const IDLE_TIDY_DELAY_MS = 10 * 60_000;
/** Somebody may just have put it back: it must not be removed again at once. */
const RECOGNISED_TIDY_DELAY_MS = 60 * 60_000;

/**
 * How much of the delay counts as over in a process that did not store the file itself, ms. A wall clock that jumped
 * would give too much; the store's own clock says when the object was stored and what time it is now. If the store does
 * not report that, or the object is older than the stream, the whole delay starts again.
 */
export function elapsedMs(times: {
  wallMs: number;
  sealedAtUtc: string | undefined;
  clockSkewMs: number;
  objectUtc: string | undefined;
  recognised: boolean;
}): number {
  if (times.recognised || times.objectUtc === undefined || times.sealedAtUtc === undefined) return 0;
  const own = times.wallMs - Date.parse(times.sealedAtUtc);
  const stores = times.wallMs + times.clockSkewMs - Date.parse(times.objectUtc);
  const least = Math.min(own, stores);
  return least > 0 ? least : 0;
}

/**
 * A record from Redis may name an object that never existed, or no longer does: the object is checked before the stream
 * completes, and long before its file is touched. Undefined: continue.
 */
export async function confirmStored(stream: StreamContext): Promise<Step | undefined> {
  const { context, stored } = stream;
  if (stored.sinceMs !== undefined) return undefined;
  const proof = await inspectObject(context);
  if (proof.kind === "lost") return await sendAgain(stream, proof.detail);
  const { deps, held } = context;
  const elapsed = elapsedMs({
    wallMs: deps.clock.wallMs(),
    sealedAtUtc: held.record.sealed_at_utc,
    clockSkewMs: deps.store.clockSkewMs,
    objectUtc: proof.kind === "proved" ? proof.object.lastModified : undefined,
    recognised: held.record.verify_result === RECOGNISED,
  });
  stored.sinceMs = deps.clock.monotonicMs() - elapsed;
  return undefined;
}

export async function tidyStep(stream: StreamContext): Promise<Tidied> {
  const { held, deps, rules } = stream.context;
  const delayMs = tidyDelayMs(held.record, rules);
  if (delayMs === undefined) return OVER;
  const now = deps.clock.monotonicMs();
  const leftMs = (stream.stored.sinceMs ?? now) + delayMs - now;
  const seen = await lookMeanwhile(stream, leftMs > 0);
  if (seen) return seen;
  if (leftMs <= 0) return await tidyNow(stream);
  if (stream.requested.ending) return await releaseToNext(stream);
  const unseen = await keptBy(stream);
  await progress(stream, {
    for: "tidy",
    until: until(stream, deps.clock.wallMs() + leftMs),
    ...(unseen === undefined ? {} : { unseen }),
  });
  return wait(Math.min(leftMs, LIMITS.lookAgainMs));
}

const OVER: Tidied = { kind: "over", changed: false };
const CHANGED: Tidied = { kind: "over", changed: true };

function wait(ms: number): Tidied {
  return { kind: "step", step: { kind: "wait", ms } };
}

/** For display; the text stays the same unless the wall clock jumps. */
function until({ stored }: StreamContext, wallMs: number): string {
  if (stored.untilMs === undefined || Math.abs(stored.untilMs - wallMs) > CLOCK_DRIFT_MS)
    stored.untilMs = wallMs;
  return new Date(stored.untilMs).toISOString();
}

const CLOCK_DRIFT_MS = 1_000;

/** The worker shuts down, and no data is at risk: the next owner of the stream tidies the file. */
async function releaseToNext({ context: { held } }: StreamContext): Promise<Tidied> {
  await held.release();
  return { kind: "step", step: { kind: "ended", outcome: { kind: "released" } } };
}

/** Undefined: the file is as it was stored, or it can wait. */
async function lookMeanwhile(stream: StreamContext, waiting: boolean): Promise<Tidied | undefined> {
  const { held, deps } = stream.context;
  const look = await deps.files.look(held.record.original_path);
  switch (look.kind) {
    case "file": {
      stream.stored.searchedMs = undefined;
      const is = compareWithSnapshot(snapshotOf(stream), look.facts);
      if (is === "touched") return await readTouched(stream, look.facts);
      if (is === "same") return undefined;
      return mayBeAnother(held.record, look.facts) ? await whereIsIt(stream, waiting) : CHANGED;
    }
    case "not_a_stream":
    case "missing":
      return await whereIsIt(stream, waiting);
    case "unreadable":
      // Tidying will report the reason when it is due.
      return undefined;
  }
}

/**
 * On volumes with unstable inode numbers, another number at the path may still mean another file: a log that was
 * rotated. The stream's own file is searched for before the one at its path counts as a change of it.
 */
function mayBeAnother(record: StreamRecord, seen: FileFacts): boolean {
  const same = sameFile(record, seen, { at: "its_path", completed: true });
  return same.kind === "other" || (same.kind === "ask_bytes" && record.file_inode !== seen.inode);
}

/** As it was verified, or as it was when it was last read again. */
function snapshotOf({ context: { held }, stored }: StreamContext): FileFacts {
  return stored.facts ?? sealedFacts(held.record);
}

/**
 * Only the ctime changed: other permissions, another name, or other bytes with the old mtime. Reading the file decides.
 */
async function readTouched(stream: StreamContext, seen: FileFacts): Promise<Tidied | undefined> {
  const { context, stored } = stream;
  const proof = await inspectObject(context);
  if (proof.kind === "lost") return { kind: "step", step: await sendAgain(stream, proof.detail) };
  if (proof.kind === "unknown") return unproved(proof.detail);
  const bytes = await holdsLocalBytes(context, proof.object);
  const after = await context.deps.files.look(context.held.record.original_path);
  const calm = after.kind === "file" && compareWithSnapshot(seen, after.facts) === "same";
  if (!calm) return wait(LIMITS.lookEveryMs);
  if (bytes === "different") return CHANGED;
  if (bytes === "unknown")
    return unproved("its ctime changed, and whether it is as it was stored cannot be determined");
  stored.facts = seen;
  stored.proved = true;
  return undefined;
}

/** Renamed inside the watch, it keeps its stream; another file at its path must not wait. */
async function whereIsIt(stream: StreamContext, waiting: boolean): Promise<Tidied | undefined> {
  const { held, deps } = stream.context;
  const now = deps.clock.monotonicMs();
  const { searchedMs } = stream.stored;
  if (waiting && searchedMs !== undefined && now - searchedMs < LIMITS.whereIsItEveryMs) return undefined;
  stream.stored.searchedMs = now;
  const where = await deps.volume.whereabouts(held.record);
  if (where.kind === "offline") return undefined;
  // Nothing to tidy, and nothing to wait for.
  if (where.kind === "missing") return OVER;
  if (where.kind === "back") return wait(LIMITS.lookEveryMs);
  if (where.kind !== "renamed") return CHANGED;
  const before = held.record.original_path;
  const outcome = await held.rename(where.path, {
    patch: {},
    ...(where.displaces === undefined ? {} : { displaces: where.displaces }),
    log: [`renamed to ${where.path}`],
    event: { type: "log", detail: "renamed" },
  });
  if (outcome.kind === "path_taken") return CHANGED;
  deps.volume.followed(held.record, before);
  return { kind: "step", step: AGAIN };
}

/** Why it will be kept; always in the same words, although the number of unseen processes changes. */
async function keptBy(stream: StreamContext): Promise<string | undefined> {
  const { unseen } = stream.context.deps.files;
  if (unseen === undefined || (await mayBeUnseen(stream))) return undefined;
  return (stream.stored.unseen ??= unseen);
}

/** Whether the file may be deleted or moved although not every process that may write it can be seen. */
async function mayBeUnseen(stream: StreamContext): Promise<boolean> {
  const { held, rules } = stream.context;
  const { completed_by: by, file_mtime_ns: mtimeNs = "0" } = held.record;
  if (rules.tidyUnseen || rules.ignoreOpen) return true;
  if (by === "marker" || by === "rename" || by === "finalize") return true;
  if (stream.requested.completion === "finalize") return true;
  return (await markerOf(stream, { mtimeNs }))?.fresh === true;
}

function unproved(detail: string): Tidied {
  return { kind: "over", changed: false, failure: { reason: "unproved", detail } };
}

async function tidyNow(stream: StreamContext): Promise<Tidied> {
  const { context, stored } = stream;
  // With patience while the file still has its name: an outage is waited for here.
  const proof = await inspectObject(context);
  if (proof.kind === "lost") return { kind: "step", step: await sendAgain(stream, proof.detail) };
  if (proof.kind === "unknown") return unproved(proof.detail);
  if (!stored.proved) {
    const look = await context.deps.files.look(context.held.record.original_path);
    const bytes = look.kind === "file" ? await holdsLocalBytes(context, proof.object) : "same";
    if (bytes === "unknown")
      return unproved("its object shows no digest of its bytes, and neither does its record");
    if (bytes === "different") {
      const why = `the object at ${context.held.record.s3_key} differs from the file`;
      return { kind: "step", step: await sendAgain(stream, why) };
    }
    stored.proved = look.kind === "file";
  }
  let last: ObjectProof | undefined;
  const outcome = await tidyFile(stream, {
    snapshot: snapshotOf(stream),
    unseen: await mayBeUnseen(stream),
    markers: markerNames(stream),
    proved: async () => {
      last = await proofNow(stream);
      return last?.kind === "proved";
    },
  });
  return await afterTidying(stream, outcome, last);
}

function markerNames({ context: { held, rules } }: StreamContext): string[] {
  const { original_path: path } = held.record;
  return [...new Set([path, rules.temporaryNames.finalOf(path)])].map((name) => name + MARKER_SUFFIX);
}

async function tidyFile({ context }: StreamContext, checks: TidyChecks): Promise<TidyOutcome> {
  const { held, deps, rules } = context;
  const { original_path: path } = held.record;
  switch (rules.afterUpload.kind) {
    case "keep":
      return { kind: "done" };
    case "delete":
      return await deps.tidier.remove(path, checks);
    case "move": {
      const { directory } = rules.afterUpload;
      return await deps.tidier.move(path, checks, directory, path.slice(rules.root.length + 1));
    }
  }
}

/** One request without patience, because the file is hidden meanwhile. Undefined: no answer in time, or no lease. */
async function proofNow({ context }: StreamContext): Promise<ObjectProof | undefined> {
  const { held, deps, signal } = context;
  const { s3_bucket: bucket, s3_key: key = "" } = held.record;
  await reach(context, "tidying");
  const ended = new AbortController();
  const late = deps.clock
    .sleep(LIMITS.tidyProofMs, AbortSignal.any([signal, ended.signal]))
    .then(() => undefined);
  try {
    const head = await Promise.race<Head | undefined>([deps.store.head({ bucket, key }), late]);
    if (head === undefined || !deps.lease.fresh()) return undefined;
    return judgeObject(held.record, head, tokenOf(context));
  } catch (error) {
    // Restored under its name, the file waits for the store as long as necessary.
    if (error instanceof StoreError) return undefined;
    throw error;
  } finally {
    ended.abort();
  }
}

async function afterTidying(
  stream: StreamContext,
  outcome: TidyOutcome,
  last: ObjectProof | undefined,
): Promise<Tidied> {
  switch (outcome.kind) {
    case "done":
    case "gone":
      return OVER;
    case "changed":
      return CHANGED;
    case "touched":
      return wait(LIMITS.lookEveryMs);
    case "open":
      if (stream.requested.ending) return await releaseToNext(stream);
      await progress(stream, waitsForWriter(outcome));
      return wait(LIMITS.lookAgainMs);
    case "unseen": {
      const detail = `it is complete only because it was idle, and its writers cannot be seen: ${outcome.detail}`;
      return { kind: "over", changed: false, failure: { reason: "unseen", detail } };
    }
    case "unproved":
      if (last?.kind === "lost") return { kind: "step", step: await sendAgain(stream, last.detail) };
      if (last?.kind === "unknown") return unproved(last.detail);
      return wait(LIMITS.lookAgainMs);
    case "impossible":
      return { kind: "over", changed: false, failure: { reason: "refused", detail: outcome.detail } };
  }
}
