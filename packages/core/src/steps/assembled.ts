/** The step into `s3_completed`: the object exists and is verified, no matter which process uploaded it. */
import { RECOGNISED } from "../object/object-headers.ts";
import { crc32ToBase64 } from "../object/crc32.ts";
import { isoNow } from "../ports/clock.ts";
import type { StoredObject } from "../ports/object-store.ts";
import { formatBytes } from "../stream/format-bytes.ts";
import { factsAsFields, type FileFacts } from "../stream/identity.ts";
import type { SameBytes } from "../object/existing-object.ts";
import { AGAIN, type StreamContext, type Step } from "./stream-context.ts";
import { verifyModeOf } from "../object/proof-by-bytes.ts";
import type { Assembled } from "../object/complete.ts";
import { isAbortWanted, reach } from "../object/context.ts";

/** What was verified: the state of the file, and the object that contains it. */
export interface AssembledObject extends Assembled {
  facts: FileFacts;
  verifyResult: string;
}

export async function assembled(stream: StreamContext, sealed: AssembledObject): Promise<Step> {
  const { held, deps } = stream.context;
  const putWhole = held.record.s3_upload_id === undefined && sealed.verifyResult !== RECOGNISED;
  await held.move("assembled", {
    patch: {
      ...factsAsFields(sealed.facts),
      bytes_sent: sealed.facts.size,
      etag: sealed.etag,
      crc32: sealed.crc32 ?? null,
      verify_mode: verifyModeOf(stream.context),
      verify_result: sealed.verifyResult,
      sealed_by: deps.worker.id,
      sealed_version: deps.worker.version,
      sealed_at_utc: isoNow(deps.clock),
      // A finalize is done; an abort that came meanwhile is not.
      ...(isAbortWanted(held.record) ? {} : { requested_action: null }),
      waiting_for: null,
      upload_aborts_at_utc: null,
    },
    log: [
      ...copiedWords(stream, sealed),
      `stored and verified: ${sealed.facts.size} bytes, ETag ${sealed.etag}`,
    ],
    ...(putWhole ? { stats: { bytes_sent: sealed.facts.size } } : {}),
  });
  stream.stored.sinceMs = deps.clock.monotonicMs();
  stream.stored.proved = true;
  await reach(stream.context, "assembled");
  deps.observer.moved(held.record, sealed.verifyResult);
  return AGAIN;
}

/** The number of bytes copied and sent for an extended object. */
function copiedWords({ context: { held } }: StreamContext, { facts }: AssembledObject): string[] {
  let copied = 0;
  for (const part of held.parts.values()) if (part.Copied) copied += part.Size;
  if (copied === 0) return [];
  return [`copied ${formatBytes(copied)} inside the store, sent ${formatBytes(facts.size - copied)}`];
}

/** The object at the key already has the file's bytes: nothing is sent. */
export async function recognised(
  stream: StreamContext,
  facts: FileFacts,
  existing: SameBytes,
): Promise<Step> {
  await settle(stream);
  return await assembled(stream, {
    facts,
    etag: existing.object.etag,
    crc32: crc32ToBase64(existing.crc),
    verifyResult: existing.own ? "identical" : RECOGNISED,
  });
}

/** This stream's own Complete took effect and only its record was lost; the file cannot be compared again. */
export async function assembledBefore(
  stream: StreamContext,
  facts: FileFacts,
  object: StoredObject,
): Promise<Step> {
  await settle(stream);
  const { etag, crc32 } = object;
  // Sealed with another size than Redis knows, so its mtime differs too; the metadata object has both.
  const known = facts.size === stream.context.held.record.file_size;
  const verifyResult = known ? "identical" : RECOGNISED;
  const step = await assembled(stream, { facts, etag, crc32, verifyResult });
  stream.stored.proved = false;
  return step;
}

async function settle({ context: { held } }: StreamContext): Promise<void> {
  if (held.kind === "pending_completion") return;
  await held.move("settled", {
    patch: { completed_by: held.record.completed_by ?? "idle" },
    log: ["found complete in S3"],
  });
}
