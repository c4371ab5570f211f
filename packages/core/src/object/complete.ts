/**
 * Exactly one Complete counts, whatever happens to its reply: after anything but a clean success HeadObject decides,
 * and ListParts whether the upload is still open. While in doubt nothing is aborted and nothing local is changed.
 */
import { StreamFailure } from "../errors.ts";
import { crc32ToBase64, wholeCrc } from "./crc32.ts";
import { multipartEtag } from "./multipart-etag.ts";
import type { CompleteOutcome, Condition, Head, StoredObject, UploadRef } from "../ports/object-store.ts";
import type { FileFacts } from "../stream/identity.ts";
import type { Part } from "../stream/record.ts";
import type { ConditionDoubts } from "./condition-doubts.ts";
import {
  bearsIds,
  conditionFor,
  knowsOwnObjects,
  mayReplace,
  existingWithMetadata,
  type ExistingObject,
} from "./existing-object.ts";
import { headObject, STREAM_ID_HEADER } from "./object-headers.ts";
import { uploadRef } from "./part-sender.ts";
import { mayMakeObject, reach, refuseIfAborted, type ObjectContext } from "./context.ts";

export interface Assembled {
  etag: string;
  crc32: string | undefined;
}

export type Completed =
  | ({ kind: "assembled" } & Assembled)
  /** The store does not have a part as listed in the request. */
  | { kind: "repair" }
  /** The upload is still open: Complete never took effect, and is sent again. */
  | { kind: "again" }
  | { kind: "upload_gone" }
  /** The store completed it, but the object differs from what was sent. */
  | { kind: "mismatch"; detail: string }
  /** One of our objects, another recording, has the key and stays: this one needs another name. */
  | { kind: "name_taken"; key: string }
  /** The worker's lease is not fresh: another worker may be completing it. */
  | { kind: "fenced" };

type Unknown = { kind: "unknown" };
type Fenced = { kind: "fenced" };

/**
 * `askFirst`: an object may already exist at the key, so HeadObject determines the condition for Complete. `made`: the
 * parts that make up the object, where those are not all that the checkpoint has.
 */
export async function completeUpload(
  context: ObjectContext,
  facts: FileFacts,
  askFirst: boolean,
  doubts: ConditionDoubts,
  made: Iterable<Part> = context.held.parts.values(),
): Promise<Completed> {
  const { held, deps, store, signal } = context;
  const ref = uploadRef(held);
  const parts = [...made].toSorted((a, b) => a.PartNumber - b.PartNumber);
  const crc = wholeCrc(parts);
  const wanted = { facts, parts, crc };
  const condition = await conditionNow(context, ref, wanted, askFirst);
  if (condition === TAKEN) return { kind: "name_taken", key: ref.key };
  const request = { parts: parts.map(named), size: facts.size, crc, condition };
  await reach(context, "completing");
  const outcome = await store.ask<CompleteOutcome | Unknown | Fenced>(
    "CompleteMultipartUpload",
    // Checked at the last moment, because the store may have been unavailable for longer than the lease.
    async () => {
      refuseIfAborted(context);
      return mayMakeObject(context) ? await deps.store.complete(ref, request) : { kind: "fenced" };
    },
    signal,
    () => Promise.resolve({ kind: "unknown" }),
  );
  await reach(context, "completed_in_store");
  if (outcome.kind === "fenced") return { kind: "fenced" };
  if (outcome.kind === "invalid_part") return { kind: "repair" };
  return await settle(context, ref, { outcome, condition }, wanted, doubts);
}

function named(part: Part) {
  const { PartNumber, ETag, ChecksumCRC32 } = part;
  return ChecksumCRC32 === undefined ? { PartNumber, ETag } : { PartNumber, ETag, ChecksumCRC32 };
}

/** If the store has no conditional Complete, HeadObject right before it leaves a window of one request. */
async function conditionNow(
  context: ObjectContext,
  ref: UploadRef,
  wanted: Wanted,
  askFirst: boolean,
): Promise<Condition | typeof TAKEN> {
  const { rules, deps, held } = context;
  const { conditionalComplete, ifMatchOnComplete } = deps.store.profile;
  const mayReplace = rules.onConflict === "overwrite" || rules.onReplace === "replace";
  const replaces = held.record.supersedes !== undefined || mayReplace;
  if (conditionalComplete && !replaces && !askFirst) return { ifNoneMatch: true };
  const head = await headObject(context, ref);
  const existing = await existingAt(context, ref, head, undefined, wanted);
  if (existing.kind === "foreign" && isTaken(context, ref, head)) return TAKEN;
  const condition = conditionFor(existing, rules);
  if (condition === undefined) return undefined;
  const honoured = "ifMatch" in condition ? ifMatchOnComplete === "honoured" : conditionalComplete;
  return honoured ? condition : undefined;
}

interface Wanted {
  facts: FileFacts;
  parts: readonly Part[];
  crc: number | undefined;
}

interface Sent {
  outcome: Replied;
  condition: Condition;
}

async function settle(
  context: ObjectContext,
  ref: UploadRef,
  { outcome, condition }: Sent,
  wanted: Wanted,
  doubts: ConditionDoubts,
): Promise<Completed> {
  const { deps, store, signal } = context;
  const head = await headObject(context, ref);
  const existing = await existingAt(context, ref, head, outcome, wanted);
  if (existing.kind === "foreign" && isTaken(context, ref, head)) return { kind: "name_taken", key: ref.key };
  const object = existing.kind === "earlier" ? existing.object : undefined;
  const own = existing.kind === "earlier" && existing.own;
  const proved = object !== undefined && isProved(context, object, wanted, own);
  const assembled = object && {
    kind: "assembled" as const,
    etag: object.etag,
    crc32: wanted.crc === undefined ? object.crc32 : crc32ToBase64(wanted.crc),
  };
  if (outcome.kind === "completed" && outcome.etag !== undefined && object) {
    return proved && assembled ? assembled : { kind: "mismatch", detail: different(ref, object, wanted) };
  }
  const { listPartsEndsWithComplete: honest } = deps.store.profile;
  // An object with our id and exactly our parts settles the matter: no listing proves more.
  if (assembled && (own || !honest) && showsBytes(context, object, wanted)) return assembled;
  const ended: Completed = proved && assembled ? assembled : { kind: "upload_gone" };
  if (outcome.kind === "gone" && !honest) return ended;
  const listing = await store.ask("ListParts", () => deps.store.listParts(ref), signal);
  if (listing.kind === "gone") return ended;
  if (outcome.kind === "gone" && doubts.endedButListed() === "Complete") return ended;
  if (outcome.kind === "conflict") {
    const refused = await doubts.refused("CompleteMultipartUpload", ref, condition, head);
    // Our own object refuses our own condition, and only its size can be compared.
    if (refused && own && proved && !honest) return ended;
  }
  // Then the object there came from another upload, and this one must still be completed.
  return { kind: "again" };
}

type Replied = Exclude<CompleteOutcome, { kind: "invalid_part" }> | Unknown;

const TAKEN = Symbol("another of our recordings has the key");

/**
 * For an object that must not be replaced: throws if it is another program's, or ours where the rules keep only one. Ours
 * was the file's earlier object when the upload was opened, and is another recording now: the file was cut and written
 * again, or renamed.
 */
function isTaken({ rules }: ObjectContext, ref: UploadRef, head: Head): boolean {
  if (rules.onConflict === "overwrite") return false;
  if (rules.onConflict === "keep-both" && head.kind === "found" && bearsIds(head.object)) return true;
  throw foreignObject(ref);
}

async function existingAt(
  context: ObjectContext,
  ref: UploadRef,
  head: Head,
  outcome: Replied | undefined,
  wanted: Wanted,
): Promise<ExistingObject> {
  const ours = ofThisUpload(context, head, outcome, wanted);
  if (ours) return ours;
  const existing = await existingWithMetadata(context, ref, head, wanted.facts);
  if (existing.kind !== "earlier") return existing;
  const isAnswered = outcome !== undefined && outcome.kind !== "conflict";
  if (existing.own && (isAnswered || knowsOwnObjects(context))) return existing;
  return (await mayReplace(context, ref, existing.object)) ? existing : { kind: "foreign" };
}

/**
 * An upload need not have our ids: early versions opened theirs without, and an upload that was found again after Redis
 * was emptied may belong to another source. An object that Complete has just named, or that has the ETag of exactly the
 * parts it named, is this upload's; before Complete was sent (no `outcome`) that can be said only of an upload of an
 * early version.
 */
function ofThisUpload(
  { held, deps }: ObjectContext,
  head: Head,
  outcome: Replied | undefined,
  wanted: Wanted,
): ExistingObject | undefined {
  if (head.kind !== "found") return undefined;
  const { object } = head;
  if (object.metadata[STREAM_ID_HEADER] === held.record.id) return undefined;
  if (outcome?.kind === "completed" && outcome.etag === object.etag)
    return { kind: "earlier", own: true, object };
  const founding = held.plan.kind === "listed" && object.metadata[STREAM_ID_HEADER] === undefined;
  if (!founding && outcome === undefined) return undefined;
  const etags = wanted.parts.map((part) => part.ETag);
  if (!deps.store.profile.etagIsMd5 || multipartEtag(etags, deps.digests) !== object.etag) return undefined;
  return { kind: "earlier", own: false, object };
}

function different(ref: UploadRef, object: StoredObject, wanted: Wanted): string {
  const stored = `${object.size} bytes with CRC32 ${object.crc32 ?? "unknown"}`;
  return `${ref.key} holds ${stored}, the file ${wanted.facts.size} with ${crcText(wanted.crc)}`;
}

/**
 * Whether the object is what was sent. Our own id and the size suffice if the store has no CRC32; an object with
 * another id (a stream rebuilt from S3) must prove the bytes by CRC32 or by its computed ETag.
 */
function isProved(context: ObjectContext, object: StoredObject, wanted: Wanted, own: boolean): boolean {
  if (object.size !== wanted.facts.size) return false;
  if (object.crc32 !== undefined && wanted.crc !== undefined) return object.crc32 === crcText(wanted.crc);
  return own || showsBytes(context, object, wanted);
}

/** Its size, and its CRC32 or the ETag of exactly these parts, match what was sent. */
function showsBytes({ deps }: ObjectContext, object: StoredObject, wanted: Wanted): boolean {
  if (object.size !== wanted.facts.size) return false;
  if (object.crc32 !== undefined && wanted.crc !== undefined) return object.crc32 === crcText(wanted.crc);
  if (!deps.store.profile.etagIsMd5) return false;
  const etags = wanted.parts.map((part) => part.ETag);
  return multipartEtag(etags, deps.digests) === object.etag;
}

function crcText(crc: number | undefined): string {
  return crc === undefined ? "unknown" : crc32ToBase64(crc);
}

export function foreignObject(ref: { key: string }): StreamFailure {
  return new StreamFailure("object_conflict", `an object of another file or program appeared at ${ref.key}`);
}
