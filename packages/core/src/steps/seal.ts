/**
 * Verify, send the tail, complete: a stream leaves here with an object proved equal to the file as it stood, or goes
 * back to growing. The file is looked at before the first byte is verified and again right before Complete.
 */
import { RECOGNISED } from "../object/object-headers.ts";
import { pendingRanges, type PartRange } from "../stream/pending-ranges.ts";
import { StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { sameFile, unchanged, type FileFacts } from "../stream/identity.ts";
import { completeUpload, type Assembled } from "../object/complete.ts";
import { ConditionDoubts } from "../object/condition-doubts.ts";
import { unreadableFile } from "../object/open-file.ts";
import { sendPart } from "../object/part-sender.ts";
import { verifyModeOf } from "../object/proof-by-bytes.ts";
import { putWhole } from "../object/put-whole.ts";
import { reconcileUpload } from "../object/reconcile-upload.ts";
import { backoffMs } from "../flow/retry.ts";
import { verifyParts } from "../object/verify.ts";
import type { ObjectContext } from "../object/context.ts";

export type Sealed =
  | ({ kind: "assembled"; facts: FileFacts; verifyResult: string } & Assembled)
  /** The file changed meanwhile: it is growing again. */
  | { kind: "file_moved_on" }
  | { kind: "upload_gone" }
  /** The store completed it, and what stands there is not what was sent. */
  | { kind: "mismatch"; detail: string }
  | { kind: "fenced" };

export async function seal(context: ObjectContext): Promise<Sealed> {
  if (context.held.record.s3_upload_id === undefined) return await sealWhole(context);
  const before = await lookAtFile(context);
  // An upload cannot be completed without parts; an empty file starts again and is put in one piece.
  if (!before || before.size === 0) return { kind: "file_moved_on" };
  const verified = await verifyAndSendTail(context, before);
  if (verified.kind !== "verified") return verified;
  return await completeUnchanged(context, before, verified.result);
}

async function sealWhole(context: ObjectContext): Promise<Sealed> {
  const put = await putWhole(context);
  if (put.kind !== "assembled") return put;
  return { ...put, verifyResult: put.recognised ? RECOGNISED : "identical" };
}

async function lookAtFile(context: ObjectContext): Promise<FileFacts | undefined> {
  const { held, deps } = context;
  // What another host wrote last may not be seen by a plain look on a network file system.
  const look = await deps.files.lookAnew(held.record.original_path);
  if (look.kind === "unreadable") throw unreadableFile(look);
  if (look.kind !== "file") return undefined;
  const asked = { at: "its_path", sentBytes: held.sentEnd } as const;
  return sameFile(held.record, look.facts, asked).kind === "other" ? undefined : look.facts;
}

/** The tail goes up while the parts before it are read again; neither waits for the other. */
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
    const sent = await sendPart(context, range);
    if (sent.kind !== "sent") return sent.kind;
  }
  return "sent";
}

/** Complete is sent only for a file that did not change since before the first byte was verified. */
async function completeUnchanged(
  context: ObjectContext,
  facts: FileFacts,
  verifyResult: string,
): Promise<Sealed> {
  const { deps, signal } = context;
  let repairs = 0;
  const doubts = new ConditionDoubts(context);
  for (let attempt = 1; ; attempt += 1) {
    const now = await lookAtFile(context);
    if (!now || !unchanged(facts, now)) return { kind: "file_moved_on" };
    const completed = await completeUpload(context, facts, attempt > 1, doubts);
    switch (completed.kind) {
      case "assembled":
        return { ...completed, facts, verifyResult };
      case "repair": {
        repairs += 1;
        if (repairs > LIMITS.repairRounds) throw beyondRepair();
        const repaired = await repair(context, facts);
        if (repaired !== "sent") return { kind: repaired };
        break;
      }
      case "again":
        await deps.clock.sleep(backoffMs(attempt, deps.random()), signal);
        break;
      case "mismatch":
      case "upload_gone":
      case "fenced":
        return completed;
    }
  }
}

/** InvalidPart is a repair, not a failure: what S3 does not hold as the checkpoint names it goes up again. */
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
