/**
 * The step of a stream whose file is complete: verify, send the tail, complete. It ends with an object proved equal to
 * the file, or goes back to growing. The file is checked before the first byte is verified and again right before
 * Complete.
 */
import { RECOGNISED } from "../object/object-headers.ts";
import { isTailAlone, pendingRanges, type PartRange } from "../stream/checkpoint.ts";
import { StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { sameFile, unchanged, type FileFacts } from "../stream/identity.ts";
import { completeUpload, foreignObject } from "../object/complete.ts";
import { ConditionDoubts } from "../object/condition-doubts.ts";
import { unreadableFile } from "../object/open-file.ts";
import { fillPart } from "../object/extend.ts";
import { verifyModeOf } from "../object/proof-by-bytes.ts";
import { putWhole } from "../object/put-whole.ts";
import { reconcileUpload } from "../object/reconcile-upload.ts";
import { backoffMs } from "../flow/retry.ts";
import { verifyParts } from "../object/verify.ts";
import type { ObjectContext } from "../object/context.ts";
import { isoNow } from "../ports/clock.ts";
import type { RecordPatch } from "../stream/record.ts";
import { timestampStepMs } from "../stream/snapshot.ts";
import { formatWaiting } from "../stream/waiting.ts";
import { assembled, type AssembledObject } from "./assembled.ts";
import { AGAIN, awaitLease, progress, sendingDone, type StreamContext, type Step } from "./stream-context.ts";
import { abandonUpload, doubtUpload, reconciled, startAgain, uploadGone } from "./upload-gone.ts";

export async function sealStep(stream: StreamContext): Promise<Step> {
  const { context } = stream;
  const { held } = context;
  await sendingDone(stream);
  const steady = await untilSteady(stream);
  if (steady) return steady;
  // A file that is sent in one request is checked there, when it is opened and again when it is read.
  if (held.record.s3_upload_id === undefined) return await sealNow(stream);
  const look = await context.deps.files.look(held.record.original_path);
  if (look.kind === "unreadable") throw unreadableFile(look);
  const asked = { at: "its_path", sentBytes: held.sentEnd } as const;
  const same = look.kind === "file" ? sameFile(held.record, look.facts, asked) : undefined;
  if (!same || same.kind === "other" || look.kind !== "file") {
    return await growAgain(stream, "the file is not as it was when it was judged complete");
  }
  const before = await reconciled(stream, look.facts, same.kind === "same");
  if (before) return before;
  if (look.facts.size === 0) {
    return await abandonUpload(stream, "the file is empty now: its upload is removed");
  }
  return await sealNow(stream);
}

/**
 * A second change right after the first may have the same times, on some file systems for two seconds. The file is read
 * for the object only after that, so that later writes are noticed.
 */
async function untilSteady(stream: StreamContext): Promise<Step | undefined> {
  const { context, history, requested } = stream;
  const { held, deps } = context;
  if (requested.force) return undefined;
  if (history.last === undefined || timestampStepMs(history.last) > LIMITS.lookEveryMs) {
    const look = await deps.files.look(held.record.original_path);
    const changed = look.kind === "file" && history.see(look.facts, deps.clock.monotonicMs());
    if (changed) return await growAgain(stream, "the file changed after it was judged complete");
  }
  if (history.last === undefined) return undefined;
  const now = deps.clock.monotonicMs();
  const leftMs = timestampStepMs(history.last) - history.steadyMs(now);
  if (leftMs <= 0) return undefined;
  const wallMs = deps.clock.wallMs();
  const since = new Date(wallMs - history.steadyMs(now)).toISOString();
  const until = new Date(wallMs + leftMs).toISOString();
  if (leftMs > LIMITS.lookEveryMs) await progress(stream, { for: "idle", since, until });
  return { kind: "wait", ms: leftMs };
}

async function sealNow(stream: StreamContext): Promise<Step> {
  // Checked before everything is read, and again right before Complete.
  const { deps, held } = stream.context;
  const isFresh = deps.lease.fresh();
  if (isFresh) await held.confirmOurs(deps.lease);
  const sealed = isFresh ? await sealUnlessTaken(stream.context) : { kind: "fenced" as const };
  switch (sealed.kind) {
    case "assembled":
      return await assembled(stream, sealed);
    case "file_moved_on":
      return await growAgain(stream, "the file changed while it was being sealed");
    case "upload_gone":
      return await uploadGone(stream);
    case "part_denied":
      doubtUpload(stream);
      return AGAIN;
    case "mismatch":
      stream.mismatches += 1;
      if (stream.mismatches >= LIMITS.verifyRounds) throw new StreamFailure("verify_mismatch", sealed.detail);
      return await startAgain(stream, `all of it is sent again: ${sealed.detail}`);
    case "name_taken":
      stream.mismatches += 1;
      if (stream.mismatches >= LIMITS.verifyRounds) throw foreignObject(sealed);
      return await abandonUpload(stream, `all of it is sent again: another recording stays at ${sealed.key}`);
    case "fenced":
      return await awaitLease(stream, "Complete");
    case "tail_name_taken":
      return await abandonUpload(stream, `it takes the next name: ${sealed.detail}`);
  }
}

/**
 * Without the safeguard a file smaller than its first part is sent in one Put, which takes the next name at once if
 * another recording has this one. Its upload does the same: that costs no more than the Put.
 */
async function sealUnlessTaken(
  context: ObjectContext,
): Promise<Sealed | { kind: "tail_name_taken"; detail: string }> {
  const { held, rules } = context;
  try {
    return await seal(context);
  } catch (error) {
    const taken = error instanceof StreamFailure && error.reason === "object_conflict";
    if (!taken || !isTailAlone(held.parts, held.plan) || rules.onConflict !== "keep-both") throw error;
    return { kind: "tail_name_taken", detail: error.message };
  }
}

/** The file grew or changed during the seal: back to `processing`, or to `opening` if there is no upload. */
async function growAgain(stream: StreamContext, why: string): Promise<Step> {
  const { held, deps } = stream.context;
  // An operator's "finalize now" and the worker's shutdown stay in force for the file as it is now; signals of the file
  // do not.
  const event = held.record.s3_upload_id === undefined ? "restarted" : "grew";
  await held.move(event, { patch: { completed_by: null, waiting_for: null }, log: [why] });
  deps.observer.moved(held.record, why);
  // The request stays in force, so a file that is never idle would be read again without a pause.
  return stream.requested.completion === undefined ? AGAIN : { kind: "wait", ms: LIMITS.lookAgainMs };
}

export type Sealed =
  | ({ kind: "assembled" } & AssembledObject)
  /** The file changed meanwhile: it is growing again. */
  | { kind: "file_moved_on" }
  | { kind: "upload_gone" }
  /** A part's answer says that the upload is gone: ListParts is asked. */
  | { kind: "part_denied" }
  /** The store completed it, but the object differs from what was sent. */
  | { kind: "mismatch"; detail: string }
  | { kind: "name_taken"; key: string }
  | { kind: "fenced" };

export async function seal(context: ObjectContext): Promise<Sealed> {
  if (context.held.record.s3_upload_id === undefined) return await sealWhole(context);
  const before = await inspectFile(context);
  // An upload cannot be completed without parts; an empty file starts again and is sent in one request.
  if (!before || before.size === 0) return { kind: "file_moved_on" };
  const verified = await verifyAndSendTail(context, before);
  if (verified.kind === "upload_gone") return { kind: "part_denied" };
  if (verified.kind !== "verified") return verified;
  // Judged as one Put would be: by the file as it is now.
  if (isTailAlone(context.held.parts, context.held.plan)) context.compared.clear();
  return await completeUnchanged(context, before, verified.result);
}

async function sealWhole(context: ObjectContext): Promise<Sealed> {
  const put = await putWhole(context);
  if (put.kind !== "assembled") return put;
  return { ...put, verifyResult: put.recognised ? RECOGNISED : "identical" };
}

async function inspectFile(context: ObjectContext): Promise<FileFacts | undefined> {
  const { held, deps } = context;
  // On a network file system, a plain stat may not show the last write of another host.
  const look = await deps.files.lookFresh(held.record.original_path);
  if (look.kind === "unreadable") throw unreadableFile(look);
  if (look.kind !== "file") return undefined;
  const asked = { at: "its_path", sentBytes: held.sentEnd } as const;
  return sameFile(held.record, look.facts, asked).kind === "other" ? undefined : look.facts;
}

/** Sends the tail while the parts before it are read again; neither waits for the other. */
async function verifyAndSendTail(context: ObjectContext, facts: FileFacts) {
  const missing = missingRanges(context, facts);
  const recut = new Set(missing.map((range) => range.number));
  const [verified, tail] = await Promise.allSettled([
    verifyParts(context, recut),
    sendRanges(context, missing),
  ]);
  if (verified.status === "rejected") throw verified.reason;
  if (tail.status === "rejected") throw tail.reason;
  if (tail.value !== "sent") return { kind: tail.value };
  if (verified.value.kind !== "verified") return verified.value;
  const { checked, sentAgain } = verified.value;
  const again = sentAgain === 0 ? "" : `, ${sentAgain} sent again`;
  const parts = checked === 1 ? "1 part" : `${checked} parts`;
  const result = verifyModeOf(context) === "off" ? "not read again" : `${parts} read again${again}`;
  return { kind: "verified" as const, result };
}

/** All ranges that S3 lacks: usually just the tail. */
function missingRanges({ held }: ObjectContext, facts: FileFacts): PartRange[] {
  return pendingRanges(held.parts, held.plan, facts.size, { tail: true, limit: Infinity });
}

async function sendRanges(
  context: ObjectContext,
  ranges: readonly PartRange[],
): Promise<"sent" | "file_moved_on" | "upload_gone"> {
  for (const range of ranges) {
    const sent = await fillPart(context, range);
    if (sent.kind !== "sent") return sent.kind;
  }
  return "sent";
}

/** Complete is sent only for a file that has not changed since before the first byte was verified. */
async function completeUnchanged(
  context: ObjectContext,
  facts: FileFacts,
  verifyResult: string,
): Promise<Sealed> {
  const { deps, signal } = context;
  let repairs = 0;
  const doubts = new ConditionDoubts(context);
  for (let attempt = 1; ; attempt += 1) {
    const now = await inspectFile(context);
    if (!now || !unchanged(facts, now)) return { kind: "file_moved_on" };
    const completed = await completeUpload(context, facts, attempt > 1, doubts);
    switch (completed.kind) {
      case "assembled":
        return { ...completed, facts, verifyResult };
      case "repair": {
        repairs += 1;
        if (repairs > LIMITS.repairRounds) throw beyondRepair();
        await sayInTimeline(
          context,
          "the store lacks a part that it acknowledged; missing parts are sent again",
        );
        const repaired = await repair(context, facts);
        if (repaired !== "sent") return { kind: repaired };
        break;
      }
      case "again":
        // Half as often each time: a store that never answers must not fill the timeline.
        if ((attempt & (attempt - 1)) === 0) {
          const detail = "Complete had no effect";
          await sayInTimeline(context, `${detail}; it is sent again (attempt ${attempt + 1})`, {
            waiting_for: formatWaiting({
              for: "store",
              detail,
              since: isoNow(deps.clock),
              attempts: attempt,
            }),
          });
        }
        await deps.clock.sleep(backoffMs(attempt, deps.random()), signal);
        break;
      case "mismatch":
      case "upload_gone":
      case "name_taken":
      case "fenced":
        return completed;
    }
  }
}

async function sayInTimeline({ held }: ObjectContext, what: string, patch: RecordPatch = {}): Promise<void> {
  await held.update({ patch, log: [what], event: { type: "log", detail: "seal" } });
}

/** InvalidPart is a repair, not a failure: parts that S3 does not have as in the checkpoint are sent again. */
async function repair(
  context: ObjectContext,
  facts: FileFacts,
): Promise<"sent" | "file_moved_on" | "upload_gone"> {
  const reconciled = await reconcileUpload(context, true);
  switch (reconciled.kind) {
    case "upload_gone":
    case "file_moved_on":
      return reconciled.kind;
    case "another_file":
      return "file_moved_on";
    case "reconciled":
      return await sendRanges(context, missingRanges(context, facts));
  }
}

function beyondRepair(): StreamFailure {
  return new StreamFailure(
    "verify_mismatch",
    `the store did not complete the upload with the parts it acknowledged, after ${LIMITS.repairRounds} repairs`,
  );
}
