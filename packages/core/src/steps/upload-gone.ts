/** The ways back to byte 0, and the proof that they are necessary. */
import { StreamFailure } from "../errors.ts";
import { backoffMs } from "../flow/retry.ts";
import { LIMITS } from "../limits.ts";
import { isoNow } from "../ports/clock.ts";
import { choosePlan, formatPlan } from "../stream/part-plan.ts";
import { recognised } from "./assembled.ts";
import type { FileFacts } from "../stream/identity.ts";
import { inspectKey, type SameBytes, type ExistingObject } from "../object/existing-object.ts";
import { AGAIN, progress, sendingDone, type StreamContext, type Step } from "./stream-context.ts";
import { whereIsIt } from "./missing-file.ts";
import { provedByBytes } from "../object/proof-by-bytes.ts";
import { reconcileUpload } from "../object/reconcile-upload.ts";
import { supersede } from "./supersede.ts";
import { reach } from "../object/context.ts";
import { abortUpload } from "../object/own-upload.ts";

/**
 * Undefined if checkpoint and S3 agree, which is checked once for a resumed stream, and if the file is the stream's
 * own: without `sure` its bytes must prove that, after each change.
 */
export async function reconciled(
  stream: StreamContext,
  facts: FileFacts,
  sure: boolean,
): Promise<Step | undefined> {
  const { held, deps } = stream.context;
  if (held.record.s3_upload_id === undefined) return undefined;
  if (stream.reconciled && (sure || (await provedByBytes(stream.context, facts)))) return undefined;
  await sendingDone(stream);
  // A Complete may have been sent before the kill. Its result says more than any listing of its upload.
  const landed = held.kind === "pending_completion" ? await completedBefore(stream) : undefined;
  if (landed) return landed;
  const outcome = stream.reconciled
    ? { kind: "another_file" as const }
    : await reconcileUpload(stream.context, sure);
  switch (outcome.kind) {
    case "upload_gone":
      return await uploadGone(stream);
    case "another_file": {
      const look = await deps.files.look(held.record.original_path);
      // Gone since its bytes were compared: the next check searches for it.
      if (look.kind !== "file") return AGAIN;
      const { file_inode: inode = look.facts.inode } = held.record;
      // Its own file may have another name now, unless the inode number is the same.
      if (inode !== look.facts.inode) return await whereIsIt(stream, look);
      return await supersede(stream, "file_replaced", look.facts);
    }
    case "file_moved_on":
      return AGAIN;
    case "reconciled":
      stream.reconciled = true;
      return stream.lost.doubted ? await contradicted(stream) : AGAIN;
  }
}

/** A part's answer says that the upload is gone: ListParts is asked. */
export function doubtUpload(stream: StreamContext): void {
  stream.reconciled = false;
  stream.lost.doubted = true;
}

/** UploadPart says that the upload is gone, ListParts that it is not: somebody may answer in the store's place. */
async function contradicted(stream: StreamContext): Promise<Step> {
  const { lost } = stream;
  const { held, deps } = stream.context;
  lost.doubted = false;
  const parts = held.parts.size;
  lost.contradictions = parts > lost.parts ? 1 : lost.contradictions + 1;
  lost.parts = parts;
  const detail = "the store knows the upload by ListParts, and does not by UploadPart";
  // Parts that a truthful listing shows are never given up for what UploadPart says.
  const holdsParts = parts > 0 && deps.store.profile.listPartsEndsWithAbort;
  if (holdsParts || lost.contradictions < LIMITS.uploadContradictions) {
    await waitForStore(stream, detail, lost.contradictions + lost.times);
    return AGAIN;
  }
  lost.contradictions = 0;
  await lostAgain(stream);
  return await abandonUpload(stream, `${detail}: the file is sent again from byte 0`);
}

async function waitForStore(stream: StreamContext, detail: string, attempts: number): Promise<void> {
  const { deps, signal } = stream.context;
  await progress(stream, { for: "store", detail, since: isoNow(deps.clock), attempts });
  await deps.clock.sleep(backoffMs(attempts, deps.random()), signal);
  signal.throwIfAborted();
}

/**
 * S3 no longer knows the upload: our own earlier Complete, or it was removed; then all bytes go again. At once the first
 * time; a store that loses one upload after the other would have them sent without end and without a pause.
 */
export async function uploadGone(stream: StreamContext): Promise<Step> {
  await sendingDone(stream);
  const there = await objectThere(stream);
  if (there?.existing.kind === "same") return await recognised(stream, there.facts, there.existing);
  // A Complete that took effect late made it of the file as it was then.
  if (there?.existing.kind === "earlier" && there.existing.own) stream.context.landed.late = true;
  await lostAgain(stream);
  await reach(stream.context, "upload_lost");
  return await startAgain(stream, "S3 no longer knows the upload: the file is sent again from byte 0");
}

async function lostAgain(stream: StreamContext): Promise<void> {
  const { lost } = stream;
  const { held, deps } = stream.context;
  const { clock } = deps;
  const inARow = clock.monotonicMs() - lost.atMs < LIMITS.uploadsLostWithinMs;
  lost.times = inARow ? lost.times + 1 : 1;
  const detail = `the store no longer knows the upload, ${lost.times} times in a row`;
  // Each time bytes were uploaded for nothing.
  if (held.parts.size > 0 && lost.times >= LIMITS.uploadsLost)
    throw new StreamFailure("verify_mismatch", `${detail}: it cannot be completed`);
  if (lost.times > 1) await waitForStore(stream, detail, lost.times);
  lost.atMs = clock.monotonicMs();
}

/** This stream's own Complete took effect and was not recorded. */
async function completedBefore(stream: StreamContext): Promise<Step | undefined> {
  const there = await objectThere(stream);
  if (!there || there.existing.kind === "free" || there.existing.kind === "foreign") return undefined;
  const { existing, facts } = there;
  if (!existing.own) return undefined;
  if (existing.kind === "same") return await recognised(stream, facts, existing);
  if (existing.object.size !== facts.size) return undefined;
  // No digest proves its bytes. Complete is sent again with the parts as they were acknowledged: its answer decides.
  stream.reconciled = true;
  return AGAIN;
}

/** What exists at the stream's key, compared with the present file. */
async function objectThere(
  stream: StreamContext,
): Promise<{ facts: FileFacts; existing: ExistingObject | SameBytes } | undefined> {
  const { held, deps } = stream.context;
  const look = await deps.files.look(held.record.original_path);
  const { s3_bucket: bucket, s3_key: key } = held.record;
  if (look.kind !== "file" || key === undefined) return undefined;
  const existing = await inspectKey(stream.context, { bucket, key }, look.facts);
  return { facts: look.facts, existing };
}

/** Aborts a useless upload before the stream starts again without one. */
export async function abandonUpload(stream: StreamContext, why: string): Promise<Step> {
  await sendingDone(stream);
  await abortUpload(stream.context);
  return await startAgain(stream, why);
}

/** Back to `opening`, with nothing in S3 that counts. The key stays fixed. */
export async function startAgain(stream: StreamContext, why: string): Promise<Step> {
  const { held, deps, rules } = stream.context;
  if (held.record.s3_upload_id !== undefined) stream.context.ended.add(held.record.s3_upload_id);
  await held.move("restarted", {
    dropParts: true,
    patch: {
      s3_upload_id: null,
      create_intent_at_utc: null,
      upload_aborts_at_utc: null,
      next_part: 1,
      bytes_sent: 0,
      part_plan: formatPlan(choosePlan(rules.plan)),
      extends: null,
      completed_by: null,
    },
    log: [why],
  });
  stream.reconciled = true;
  stream.lost.doubted = false;
  deps.observer.moved(held.record, why);
  return AGAIN;
}
