/**
 * Exactly one Complete counts, whatever becomes of its reply: after anything but a clean success HeadObject decides,
 * and ListParts whether the upload still waits. While in doubt nothing is aborted and nothing local is touched.
 */
import { StreamFailure } from "../errors.ts";
import { crc32ToBase64, wholeCrc } from "./crc32.ts";
import { multipartEtag } from "./multipart-etag.ts";
import type { CompleteOutcome, Condition, Head, StoredObject, UploadRef } from "../ports/object-store.ts";
import type { FileFacts } from "../stream/identity.ts";
import type { Part } from "../stream/record.ts";
import type { ConditionDoubts } from "./condition-doubts.ts";
import { conditionFor, mayReplace, standingWithMetadata, type Standing } from "./existing-object.ts";
import { headObject, STREAM_ID_HEADER } from "./object-headers.ts";
import { uploadRef } from "./part-sender.ts";
import { mayMakeObject, reach, refuseIfAborted, type ObjectContext } from "./context.ts";

export interface Assembled {
  etag: string;
  crc32: string | undefined;
}

export type Completed =
  | ({ kind: "assembled" } & Assembled)
  /** The store does not hold a part as it was named. */
  | { kind: "repair" }
  /** The upload is open still: Complete never took effect, and is sent again. */
  | { kind: "again" }
  | { kind: "upload_gone" }
  /** The store completed it, and what stands there is not what was sent. */
  | { kind: "mismatch"; detail: string }
  /** The worker's lease is not fresh: somebody else may be completing. */
  | { kind: "fenced" };

type Unknown = { kind: "unknown" };
type Fenced = { kind: "fenced" };

/**
 * `askFirst`: an object may stand at the key already, so HeadObject says under which condition to complete. `made`: the
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
  const request = { parts: parts.map(named), size: facts.size, crc, condition };
  await reach(context, "completing");
  const outcome = await store.ask<CompleteOutcome | Unknown | Fenced>(
    "CompleteMultipartUpload",
    // Asked at the last moment: the store may have been away for longer than the lease.
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

/** Where the store has no conditional Complete, HeadObject right before it leaves a window of one request. */
async function conditionNow(
  context: ObjectContext,
  ref: UploadRef,
  wanted: Wanted,
  askFirst: boolean,
): Promise<Condition> {
  const { rules, deps, held } = context;
  const { conditionalComplete, ifMatchOnComplete } = deps.store.profile;
  const mayReplace = rules.onConflict === "overwrite" || rules.onReplace === "replace";
  const replaces = held.record.supersedes !== undefined || mayReplace;
  if (conditionalComplete && !replaces && !askFirst) return { ifNoneMatch: true };
  const standing = await standingNow(context, ref, undefined, wanted);
  if (standing.kind === "foreign" && rules.onConflict !== "overwrite") throw foreignObject(ref);
  const condition = conditionFor(standing, rules);
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
  const { rules, deps, store, signal } = context;
  const head = await headObject(context, ref);
  const standing = await standingAt(context, ref, head, outcome, wanted);
  if (standing.kind === "foreign" && rules.onConflict !== "overwrite") throw foreignObject(ref);
  const object = standing.kind === "earlier" ? standing.object : undefined;
  const own = standing.kind === "earlier" && standing.own;
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
  // What bears our id and is made of exactly our parts ends the matter: no listing says more than that.
  if (assembled && (own || !honest) && showsBytes(context, object, wanted)) return assembled;
  const ended: Completed = proved && assembled ? assembled : { kind: "upload_gone" };
  if (outcome.kind === "gone" && !honest) return ended;
  const listing = await store.ask("ListParts", () => deps.store.listParts(ref), signal);
  if (listing.kind === "gone") return ended;
  if (outcome.kind === "gone" && doubts.endedButListed() === "Complete") return ended;
  if (outcome.kind === "conflict") {
    const refused = await doubts.refused("CompleteMultipartUpload", ref, condition, head);
    // Our own object refuses our own condition, and nothing but its size can be compared.
    if (refused && own && proved && !honest) return ended;
  }
  // Whatever stands there then came from another upload, and this one is still to be completed.
  return { kind: "again" };
}

type Replied = Exclude<CompleteOutcome, { kind: "invalid_part" }> | Unknown;

async function standingNow(
  context: ObjectContext,
  ref: UploadRef,
  outcome: Replied | undefined,
  wanted: Wanted,
): Promise<Standing> {
  return await standingAt(context, ref, await headObject(context, ref), outcome, wanted);
}

async function standingAt(
  context: ObjectContext,
  ref: UploadRef,
  head: Head,
  outcome: Replied | undefined,
  wanted: Wanted,
): Promise<Standing> {
  const ours = ofThisUpload(context, head, outcome, wanted);
  if (ours) return ours;
  const standing = await standingWithMetadata(context, ref, head, wanted.facts);
  if (standing.kind !== "earlier" || standing.own) return standing;
  return (await mayReplace(context, ref, standing.object)) ? standing : { kind: "foreign" };
}

/**
 * An upload need not bear our ids: the founding phase opened its own without, and one that was found again after Redis
 * was emptied may be of another source. What Complete has just named, or what has the ETag of exactly the parts it named,
 * is this upload's object; before Complete was sent (no `outcome`) that is told of a founding upload alone.
 */
function ofThisUpload(
  { held, deps }: ObjectContext,
  head: Head,
  outcome: Replied | undefined,
  wanted: Wanted,
): Standing | undefined {
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
 * Whether the object is what was sent. Our own id and the size suffice where the store keeps no CRC32; an object that
 * bears another id (a stream rebuilt from S3) must show the bytes by CRC32 or by its computed ETag.
 */
function isProved(context: ObjectContext, object: StoredObject, wanted: Wanted, own: boolean): boolean {
  if (object.size !== wanted.facts.size) return false;
  if (object.crc32 !== undefined && wanted.crc !== undefined) return object.crc32 === crcText(wanted.crc);
  return own || showsBytes(context, object, wanted);
}

/** Its size, and its CRC32 or the ETag of exactly these parts, are those of what was sent. */
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
