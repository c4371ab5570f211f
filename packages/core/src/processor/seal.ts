/**
 * Verify, send the tail, complete: a stream leaves here with an object proved equal to the file as it stood, or goes
 * back to growing. The file is looked at before the first byte is verified and again right before Complete.
 */
import { StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { pendingRanges } from "../checkpoint/pending-ranges.ts";
import { sameFile, unchanged, type FileFacts } from "../stream/identity.ts";
import { completeUpload, type Assembled } from "./complete.ts";
import type { OpenContext } from "./open-object.ts";
import { sendPart } from "./part-sender.ts";
import { putWhole } from "./put-whole.ts";
import { verifyParts } from "./verify.ts";

export type Sealed =
  | ({ kind: "assembled"; facts: FileFacts; verifyResult: string } & Assembled)
  /** The file changed meanwhile: it is growing again. */
  | { kind: "file_moved_on" }
  | { kind: "upload_gone" }
  | { kind: "fenced" };

export async function seal(context: OpenContext): Promise<Sealed> {
  if (context.held.record.s3_upload_id === undefined) {
    const put = await putWhole(context);
    return put.kind === "assembled" ? { ...put, verifyResult: "identical" } : put;
  }
  const before = await lookAtFile(context);
  if (!before) return { kind: "file_moved_on" };
  const verified = await verifyAndSendTail(context, before);
  if (verified.kind !== "verified") return verified;
  const after = await lookAtFile(context);
  if (!after || !unchanged(before, after)) return { kind: "file_moved_on" };
  return await completeWithRepairs(context, before, verified.result);
}

async function lookAtFile(context: OpenContext): Promise<FileFacts | undefined> {
  const { held, deps } = context;
  const look = await deps.files.look(held.record.original_path);
  if (look.kind !== "file") return undefined;
  return sameFile(held.record, look.facts, held.sentEnd).same ? look.facts : undefined;
}

/** The tail goes up while the parts before it are read again; neither waits for the other. */
async function verifyAndSendTail(context: OpenContext, facts: FileFacts) {
  const [verified, tail] = await Promise.allSettled([verifyParts(context), sendRest(context, facts)]);
  if (verified.status === "rejected") throw verified.reason;
  if (tail.status === "rejected") throw tail.reason;
  if (tail.value !== "sent") return { kind: tail.value };
  if (verified.value.kind !== "verified") return verified.value;
  const { checked, sentAgain } = verified.value;
  const again = sentAgain === 0 ? "" : `, ${sentAgain} sent again`;
  const result = context.rules.verify === "off" ? "not read again" : `${checked} parts read again${again}`;
  return { kind: "verified" as const, result };
}

/** All ranges that S3 lacks: usually just the tail. */
async function sendRest(context: OpenContext, facts: FileFacts): Promise<"sent" | "file_moved_on" | "upload_gone"> {
  const { held, store, deps, signal } = context;
  for (const range of pendingRanges(held.parts, held.plan, facts.size, { tail: true, limit: Infinity })) {
    const sent = await sendPart(held, range, store, deps, signal);
    if (sent.kind !== "sent") return sent.kind;
  }
  return "sent";
}

/** InvalidPart is a repair, not a failure: the named parts go up again and Complete is sent again. */
async function completeWithRepairs(context: OpenContext, facts: FileFacts, verifyResult: string): Promise<Sealed> {
  for (let round = 1; round <= LIMITS.repairRounds; round += 1) {
    const completed = await completeUpload(context, facts);
    if (completed.kind === "assembled") return { ...completed, facts, verifyResult };
    if (completed.kind !== "repair") return completed;
    for (const number of completed.parts) {
      const part = context.held.parts.get(number);
      if (!part) continue;
      const range = { number, offset: part.Offset, bytes: part.Size };
      const sent = await sendPart(context.held, range, context.store, context.deps, context.signal);
      if (sent.kind !== "sent") return sent;
    }
  }
  throw new StreamFailure(
    "verify_mismatch",
    `the store did not complete the upload with the parts it acknowledged, after ${LIMITS.repairRounds} repairs`,
  );
}
