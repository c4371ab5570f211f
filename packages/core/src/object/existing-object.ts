/**
 * Classifies an object that exists at our key. An object of another file or program must never be replaced; one that
 * already has the file's bytes is recognized, and nothing is sent.
 */
import { isTailAlone, pendingRanges, type PartRange } from "../stream/checkpoint.ts";
import { combineCrc32, crc32FromBase64 } from "./crc32.ts";
import { etagPartCount, multipartEtag } from "./multipart-etag.ts";
import { objectKey } from "./object-key.ts";
import { displayPath } from "../stream/raw-path.ts";
import type { Condition, Head, ObjectRef, StoredObject } from "../ports/object-store.ts";
import type { FileFacts } from "../stream/identity.ts";
import type { StreamRecord } from "../stream/record.ts";
import type { WatchRules } from "../flow/dependencies.ts";
import { compareWithObject, describedPath } from "./earlier-object.ts";
import type { OwnedStream } from "../flow/owned-stream.ts";
import { findBeside, isEarlierOfPath } from "./metadata-object.ts";
import { FILE_HEADER, STREAM_ID_HEADER, fileToken, headObject } from "./object-headers.ts";
import { readDigests } from "./part-bytes.ts";
import type { DoneEntry } from "../stream/completed-file.ts";
import type { ObjectContext } from "./context.ts";

/** On the metadata object of an object without ids: the ETag and CRC32 of the object that it describes. */
export const OBJECT_ETAG_HEADER = "sluice-object-etag";
export const OBJECT_CRC_HEADER = "sluice-object-crc32";

export type ExistingObject =
  | { kind: "free" }
  /** `longer`: ours, at a key of this very path; the file may be on its way to it. */
  | { kind: "foreign"; longer?: StoredObject }
  /**
   * An object of the same file, not longer than it is now: this stream replaces it. `own`: this stream uploaded it
   * itself.
   */
  | { kind: "earlier"; own: boolean; object: StoredObject };

/** It has the file's bytes. */
export interface SameBytes {
  kind: "same";
  own: boolean;
  object: StoredObject;
  crc: number;
}

/** From its headers and size alone. */
export function existingFrom(
  head: Head,
  record: StreamRecord,
  facts: FileFacts,
  hash: (text: string) => string,
  replaced?: Pick<DoneEntry, "etag">,
): ExistingObject {
  if (head.kind !== "found") return { kind: "free" };
  const { object } = head;
  const whose = whoseIds(object, record, facts, hash, replaced);
  if (whose === "own") return { kind: "earlier", own: true, object };
  if (whose !== "file" || object.size > facts.size) return { kind: "foreign" };
  return { kind: "earlier", own: false, object };
}

/** `file`: of another stream of the same file. `replaced`: the completed file that this stream reopens. */
function whoseIds(
  { metadata, etag }: StoredObject,
  record: StreamRecord,
  facts: FileFacts,
  hash: (text: string) => string,
  replaced?: Pick<DoneEntry, "etag">,
): "own" | "file" | undefined {
  const { [STREAM_ID_HEADER]: streamId, [FILE_HEADER]: token } = metadata;
  if (streamId === record.id) return "own";
  if (streamId !== undefined && streamId === record.supersedes) return "file";
  // Recognized without an upload, so it has the ids of the stream that uploaded it.
  if (replaced !== undefined && replaced.etag === etag) return "file";
  return token === fileToken(record.source, facts, hash) ? "file" : undefined;
}

export const bearsIds = ({ metadata }: StoredObject): boolean =>
  metadata[STREAM_ID_HEADER] !== undefined || metadata[FILE_HEADER] !== undefined;

/**
 * As `existingFrom`. Early versions opened their uploads without ids, so their objects have none: such an object is
 * identified by the metadata object next to it, which has the ids and the ETag of what it describes.
 */
export async function existingWithMetadata(
  context: ObjectContext,
  ref: ObjectRef,
  head: Head,
  facts: FileFacts,
): Promise<ExistingObject> {
  const { held, deps } = context;
  const existing = existingFrom(head, held.record, facts, deps.digests.hash, reopened(context, ref));
  if (existing.kind !== "foreign" || head.kind !== "found") return existing;
  if (bearsIds(head.object)) {
    const replaced = await isEarlierOfPath(context, ref, head.object);
    return replaced ? { kind: "earlier", own: false, object: head.object } : existing;
  }
  const beside = await findBeside(context, ref, bearsIds);
  if (!beside) return existing;
  const { [OBJECT_ETAG_HEADER]: etag, [OBJECT_CRC_HEADER]: crc32 = head.object.crc32 } =
    beside.object.metadata;
  const whose = whoseIds(beside.object, held.record, facts, deps.digests.hash);
  if (whose === undefined || etag !== head.object.etag || head.object.size > facts.size) return existing;
  const object = crc32 === undefined ? head.object : { ...head.object, crc32 };
  return { kind: "earlier", own: whose === "own", object };
}

/** The completed file that this stream is a new generation of, if its object is the one at this key. */
function reopened({ held: { record }, deps }: ObjectContext, ref: ObjectRef): DoneEntry | undefined {
  const entry = deps.completed.entry(record.original_path);
  const continued = entry !== undefined && entry.stream_id === record.supersedes;
  return continued && entry.s3_bucket === ref.bucket && entry.s3_key === ref.key ? entry : undefined;
}

/**
 * Whether this stream may replace an earlier object of the same file. The answer from the opening stays valid to the
 * end: what a live file's writer changes later is repaired, not judged again. An upload for a tail alone is judged when
 * the file is complete, like the Put that it replaces.
 */
export async function mayReplace(
  context: ObjectContext,
  ref: ObjectRef,
  object: StoredObject,
): Promise<boolean> {
  const { held, deps, compared } = context;
  // The upload was opened beside this very object, after it had been compared with the file.
  if (context.fileless)
    return held.record.extends === object.etag || reopened(context, ref)?.etag === object.etag;
  // The newest file at the path is wanted, whatever it has in common with the one before.
  if (await isEarlierOfPath(context, ref, object)) return true;
  const entry = deps.completed.entry(held.record.original_path);
  if (entry?.seen_shorter && entry.etag === object.etag) return false;
  // Also after a restart: the upload was opened only because the comparison allowed it.
  const opened = held.record.s3_upload_id !== undefined && !isTailAlone(held.parts, held.plan);
  if (opened && reopened(context, ref)?.etag === object.etag) return true;
  const seenBefore = compared.has(`${ref.key} ${object.etag}`);
  const { matches } = await compareWithObject(context, ref, object);
  if (seenBefore) return matches;
  const words = matches
    ? "at least half of it is unchanged: it is replaced"
    : "it contains another recording: it is kept";
  deps.observer.decided(held.record, `an earlier object of this file is at ${ref.key}; ${words}`);
  return matches;
}

/**
 * Whether this process knows of an object that has the stream's id. Of one that it does not, the file may have been
 * complete when it was made, and be another recording since.
 */
export function knowsOwnObjects({ resumed, recognise, landed }: ObjectContext): boolean {
  return !resumed && !recognise && !landed.late;
}

/**
 * Asks the store, and compares the bytes with the local file if the sizes are equal. One of our objects with the bytes
 * of the file at its path belongs to that file, whatever inode it had: copied back, restored, on another host.
 */
export async function inspectKey(
  context: ObjectContext,
  ref: ObjectRef,
  facts: FileFacts,
  seen?: Head,
): Promise<ExistingObject | SameBytes> {
  const head = seen ?? (await headObject(context, ref));
  const existing = await existingWithMetadata(context, ref, head, facts);
  if (existing.kind === "earlier") {
    const crc = existing.object.size === facts.size && (await sameBytes(context, existing.object, facts));
    if (typeof crc === "number") return { ...existing, kind: "same", crc };
    const mine =
      (existing.own && knowsOwnObjects(context)) || (await mayReplace(context, ref, existing.object));
    return mine ? existing : { kind: "foreign" };
  }
  const copy = head.kind === "found" && bearsIds(head.object) ? head.object : undefined;
  if (copy?.size === facts.size && (await isOfThisPath(context, ref))) {
    const crc = await sameBytes(context, copy, facts);
    if (crc !== undefined) return { kind: "same", own: false, object: copy, crc };
  }
  if (copy !== undefined && copy.size > facts.size && (await isOfThisPath(context, ref)))
    return { kind: "foreign", longer: copy };
  const object = mayBeOfFoundingUpload(context.held, head);
  if (object?.size !== facts.size) return existing;
  const crc = await sameParts(context, object, facts);
  return crc === undefined ? existing : { kind: "same", own: true, object, crc };
}

/**
 * An object at a path's own key belongs to that path. A numbered key may belong to another file: the metadata object
 * says to which. The root may have been another one, on another host.
 */
async function isOfThisPath(context: ObjectContext, ref: ObjectRef): Promise<boolean> {
  const { held, rules, deps } = context;
  const relativePath = held.record.original_path.slice(rules.root.length + 1);
  if (
    ref.key ===
    objectKey(held.record.s3_key_prefix, rules.temporaryNames.finalOf(relativePath), deps.digests.hash)
  )
    return true;
  const path = await describedPath(context, ref);
  return path?.endsWith(`/${displayPath(relativePath)}`) === true;
}

/** An object without ids where this stream's own upload, opened by an early version, would have created one. */
function mayBeOfFoundingUpload({ plan, record }: OwnedStream, head: Head): StoredObject | undefined {
  const founding = plan.kind === "listed" && record.s3_upload_id !== undefined;
  return founding && head.kind === "found" && !bearsIds(head.object) ? head.object : undefined;
}

/** The file's CRC32 if the object is known to have the same bytes, by CRC32 or by an ETag made of MD5s. */
export async function sameBytes(
  context: ObjectContext,
  object: StoredObject,
  facts: FileFacts,
): Promise<number | undefined> {
  if (object.crc32 === undefined && etagPartCount(object.etag) !== undefined)
    return await sameParts(context, object, facts);
  const byEtag = object.crc32 === undefined;
  if (byEtag && !context.deps.store.profile.etagIsMd5) return undefined;
  const read = await readDigests(context, 0, facts.size, byEtag);
  if (!read) return undefined;
  const same = byEtag ? read.md5 === object.etag : crc32FromBase64(object.crc32 ?? "") === read.crc;
  return same ? read.crc : undefined;
}

/** The file's CRC32 if the object's ETag is that of the file split into exactly this stream's parts. */
async function sameParts(
  context: ObjectContext,
  object: StoredObject,
  facts: FileFacts,
): Promise<number | undefined> {
  const { deps, held } = context;
  const ranges = partRanges(held, facts.size);
  if (!deps.store.profile.etagIsMd5 || ranges.length !== etagPartCount(object.etag)) return undefined;
  let crc = 0;
  const md5s: string[] = [];
  for (const { offset, bytes } of ranges) {
    const read = await readDigests(context, offset, bytes, true);
    if (!read) return undefined;
    crc = combineCrc32(crc, read.crc, bytes);
    md5s.push(read.md5);
  }
  return multipartEtag(md5s, deps.digests) === object.etag ? crc : undefined;
}

/** The parts of a file of this size; none if a part without a grid has no record. */
function partRanges({ plan, parts }: OwnedStream, size: number): PartRange[] {
  const count = plan.kind === "listed" ? plan.count : 0;
  const listed = [...parts.values()]
    .filter((part) => part.PartNumber <= count)
    .toSorted((a, b) => a.PartNumber - b.PartNumber);
  if (listed.length !== count) return [];
  const known = new Map(listed.map((part) => [part.PartNumber, part]));
  return [
    ...listed.map((part) => ({ number: part.PartNumber, offset: part.Offset, bytes: part.Size })),
    ...pendingRanges(known, plan, size, { tail: true, limit: Infinity }),
  ];
}

/** The condition under which a write succeeds only if this is still the existing object. */
export function conditionFor(existing: ExistingObject, rules: Pick<WatchRules, "onConflict">): Condition {
  if (existing.kind === "earlier") return { ifMatch: existing.object.etag };
  return rules.onConflict === "overwrite" ? undefined : { ifNoneMatch: true };
}
