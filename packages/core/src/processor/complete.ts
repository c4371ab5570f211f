/**
 * Exactly one Complete counts, whatever becomes of its reply: after anything but a clean success HeadObject decides,
 * by the stream's own id. While in doubt nothing is aborted and nothing local is touched.
 */
import { StreamFailure } from "../errors.ts";
import { crc32ToBase64 } from "../parts/crc32.ts";
import type { CompleteOutcome, Condition, StoredObject, UploadRef } from "../ports/object-store.ts";
import type { FileFacts } from "../stream/identity.ts";
import type { Part } from "../stream/record.ts";
import { STREAM_ID_HEADER, conditionFor, lookAtKey, wholeCrc } from "./existing-object.ts";
import type { OpenContext } from "./open-object.ts";
import { uploadRef } from "./part-sender.ts";

export interface Assembled {
  etag: string;
  crc32: string | undefined;
  version: string | undefined;
}

export type Completed =
  | ({ kind: "assembled" } & Assembled)
  /** S3 lacks these parts as named: send them again, then complete again. */
  | { kind: "repair"; parts: number[] }
  | { kind: "upload_gone" }
  /** The worker's lease is not fresh: somebody else may be completing. */
  | { kind: "fenced" };

export async function completeUpload(context: OpenContext, facts: FileFacts): Promise<Completed> {
  const { held, deps, store, signal } = context;
  const ref = uploadRef(held);
  const parts = [...held.parts.values()].toSorted((a, b) => a.PartNumber - b.PartNumber);
  const crc = wholeCrc(parts);
  const condition = await conditionNow(context, ref, facts);
  if (condition === "done") return await confirm(context, ref, facts, crc);
  if (!deps.lease.fresh()) return { kind: "fenced" };
  const request = { parts: parts.map(named), size: facts.size, crc, condition };
  const outcome = await store.call<CompleteOutcome | "unknown">(
    "CompleteMultipartUpload",
    () => deps.store.complete(ref, request),
    signal,
    () => Promise.resolve("unknown"),
  );
  if (outcome !== "unknown" && outcome.kind === "invalid_part") return await findBadParts(context, ref);
  const settled = await confirm(context, ref, facts, crc);
  if (settled.kind !== "assembled" || outcome === "unknown" || outcome.kind !== "completed") return settled;
  return { ...settled, version: outcome.version };
}

function named(part: Part) {
  const { PartNumber, ETag, ChecksumCRC32 } = part;
  return ChecksumCRC32 === undefined ? { PartNumber, ETag } : { PartNumber, ETag, ChecksumCRC32 };
}

/** Where the store has no conditional Complete, HeadObject right before it leaves a window of one request. */
async function conditionNow(context: OpenContext, ref: UploadRef, facts: FileFacts): Promise<Condition | "done"> {
  const { rules, deps, held } = context;
  const replaces = held.record.supersedes !== undefined || rules.onConflict === "overwrite";
  if (deps.store.profile.conditionalComplete && !replaces) return { ifNoneMatch: true };
  const now = await lookAtKey(context, ref, facts);
  if (now.kind === "same" && now.own) return "done";
  if (now.kind === "foreign" && rules.onConflict !== "overwrite") throw foreignObject(ref);
  return deps.store.profile.conditionalComplete ? conditionFor(now, rules) : undefined;
}

/** HeadObject decides: our stream's object of the right size and checksum is success, and nothing else is. */
async function confirm(context: OpenContext, ref: UploadRef, facts: FileFacts, crc: number | undefined): Promise<Completed> {
  const { deps, store, signal, held } = context;
  const head = await store.call("HeadObject", () => deps.store.head(ref), signal);
  const owner = head.kind === "found" ? head.object.metadata[STREAM_ID_HEADER] : undefined;
  if (head.kind === "found" && owner === held.record.id) {
    return { kind: "assembled", ...proved(head.object, ref, facts, crc), version: undefined };
  }
  const replaceable = context.rules.onConflict === "overwrite" || owner === held.record.supersedes;
  if (head.kind === "found" && !replaceable) throw foreignObject(ref);
  const listing = await store.call("ListParts", () => deps.store.listParts(ref), signal);
  // Alive: the Complete never took effect and is sent again by the next round of the seal.
  return listing.kind === "gone" ? { kind: "upload_gone" } : { kind: "repair", parts: [] };
}

/** Size, and the checksum where both sides know one, must be what was sent. */
export function proved(object: StoredObject, ref: { key: string }, facts: FileFacts, crc: number | undefined) {
  const crc32 = crc === undefined ? undefined : crc32ToBase64(crc);
  if (object.size !== facts.size) {
    throw new StreamFailure("verify_mismatch", `${ref.key} has ${object.size} bytes, the file ${facts.size}`);
  }
  if (crc32 !== undefined && object.crc32 !== undefined && object.crc32 !== crc32) {
    throw new StreamFailure("verify_mismatch", `${ref.key} has CRC32 ${object.crc32}, the file ${crc32}`);
  }
  return { etag: object.etag, crc32 };
}

/** After InvalidPart: which of our parts S3 does not hold as the checkpoint names them. */
async function findBadParts(context: OpenContext, ref: UploadRef): Promise<Completed> {
  const { deps, store, signal, held } = context;
  const listing = await store.call("ListParts", () => deps.store.listParts(ref), signal);
  if (listing.kind === "gone") return { kind: "upload_gone" };
  const there = new Map(listing.parts.map((part) => [part.PartNumber, part]));
  const bad = [...held.parts.values()].filter((part) => {
    const listed = there.get(part.PartNumber);
    return !listed || listed.ETag !== part.ETag || listed.Size !== part.Size;
  });
  return { kind: "repair", parts: bad.map((part) => part.PartNumber) };
}

function foreignObject(ref: { key: string }): StreamFailure {
  return new StreamFailure("object_conflict", `an object of another file or program appeared at ${ref.key}`);
}
