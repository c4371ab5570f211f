/**
 * What an object that stands at our key is to us. An object of another file or program is never ours to replace;
 * one that already holds the file's bytes is recognised, and nothing is sent.
 */
import { pendingRanges, type PartRange } from "../checkpoint/pending-ranges.ts";
import { combineCrc32, crc32FromBase64 } from "../parts/crc32.ts";
import { etagPartCount, multipartEtag } from "../parts/multipart-etag.ts";
import { metadataKey } from "../paths/object-key.ts";
import type { Condition, Head, ObjectRef, StoredObject } from "../ports/object-store.ts";
import { fileTokenText, type FileFacts } from "../stream/identity.ts";
import type { StreamRecord } from "../stream/record.ts";
import type { ProcessorDeps, WatchRules } from "./dependencies.ts";
import type { HeldStream } from "./held-stream.ts";
import type { OpenContext } from "./open-object.ts";
import { readDigests } from "./part-bytes.ts";

export const STREAM_ID_HEADER = "sluice-stream-id";
export const FILE_HEADER = "sluice-file";
/** On the metadata object of an object without ids: the ETag and CRC32 of what it describes. */
export const OBJECT_ETAG_HEADER = "sluice-object-etag";
export const OBJECT_CRC_HEADER = "sluice-object-crc32";

export type Standing =
  | { kind: "free" }
  | { kind: "foreign" }
  /** An object of the same file, not longer than it is now: this stream replaces it. `own`: it put it there itself. */
  | { kind: "earlier"; own: boolean; object: StoredObject };

/** It holds the file's bytes. */
export interface SameBytes {
  kind: "same";
  own: boolean;
  object: StoredObject;
  crc: number;
}

/** From its headers and size alone. */
export function standingOf(
  head: Head,
  record: StreamRecord,
  facts: FileFacts,
  hash: (text: string) => string,
): Standing {
  if (head.kind !== "found") return { kind: "free" };
  const { object } = head;
  const whose = whoseIds(object, record, facts, hash);
  if (whose === "own") return { kind: "earlier", own: true, object };
  if (whose !== "file" || object.size > facts.size) return { kind: "foreign" };
  return { kind: "earlier", own: false, object };
}

/** `file`: of another stream of the same file. */
function whoseIds(
  { metadata }: StoredObject,
  record: StreamRecord,
  facts: FileFacts,
  hash: (text: string) => string,
): "own" | "file" | undefined {
  const { [STREAM_ID_HEADER]: streamId, [FILE_HEADER]: token } = metadata;
  if (streamId === record.id) return "own";
  if (streamId !== undefined && streamId === record.supersedes) return "file";
  return token === fileToken(record.source, facts, hash) ? "file" : undefined;
}

const bearsIds = ({ metadata }: StoredObject): boolean =>
  metadata[STREAM_ID_HEADER] !== undefined || metadata[FILE_HEADER] !== undefined;

/**
 * As `standingOf`. The founding phase opened its uploads without ids, so their objects bear none: for such an object
 * the metadata object beside it speaks, which bears the ids and names the ETag of what it describes.
 */
export async function standingWithMetadata(
  context: OpenContext,
  ref: ObjectRef,
  head: Head,
  facts: FileFacts,
): Promise<Standing> {
  const { held, deps } = context;
  const standing = standingOf(head, held.record, facts, deps.digests.hash);
  if (standing.kind !== "foreign" || head.kind !== "found" || bearsIds(head.object)) return standing;
  const beside = await headObject(context, { bucket: ref.bucket, key: metadataKey(ref.key) });
  if (beside.kind !== "found") return standing;
  const { [OBJECT_ETAG_HEADER]: etag, [OBJECT_CRC_HEADER]: crc32 = head.object.crc32 } =
    beside.object.metadata;
  const whose = whoseIds(beside.object, held.record, facts, deps.digests.hash);
  if (whose === undefined || etag !== head.object.etag || head.object.size > facts.size) return standing;
  const object = crc32 === undefined ? head.object : { ...head.object, crc32 };
  return { kind: "earlier", own: whose === "own", object };
}

/** Asks the store, and where the sizes are equal compares the bytes with the local file. */
export async function lookAtKey(
  context: OpenContext,
  ref: ObjectRef,
  facts: FileFacts,
  seen?: Head,
): Promise<Standing | SameBytes> {
  const head = seen ?? (await headObject(context, ref));
  const standing = await standingWithMetadata(context, ref, head, facts);
  if (standing.kind === "earlier") {
    const crc = standing.object.size === facts.size && (await sameBytes(context, standing.object, facts));
    return typeof crc === "number" ? { ...standing, kind: "same", crc } : standing;
  }
  const object = mayBeOfFoundingUpload(context.held, head);
  if (object?.size !== facts.size) return standing;
  const crc = await sameParts(context, object, facts);
  return crc === undefined ? standing : { kind: "same", own: true, object, crc };
}

/** An object without ids where this stream's own upload, which the founding phase opened, would have put one. */
function mayBeOfFoundingUpload({ plan, record }: HeldStream, head: Head): StoredObject | undefined {
  const founding = plan.kind === "listed" && record.s3_upload_id !== undefined;
  return founding && head.kind === "found" && !bearsIds(head.object) ? head.object : undefined;
}

export async function headObject(context: OpenContext, ref: ObjectRef): Promise<Head> {
  const { store, deps, signal } = context;
  return await store.call("HeadObject", () => deps.store.head(ref), signal);
}

/** The file's CRC32 when the object is known to hold the same bytes, by CRC32 or by an ETag made of MD5s. */
async function sameBytes(
  context: OpenContext,
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

/** The file's CRC32 when the object's ETag is that of the file cut into exactly this stream's parts. */
async function sameParts(
  context: OpenContext,
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

/** The parts a file of this size is cut into; none when a part that stands on no grid has no record. */
function partRanges({ plan, parts }: HeldStream, size: number): PartRange[] {
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

/** The condition under which a write goes through only if this is still what stands there. */
export function conditionFor(standing: Standing, rules: Pick<WatchRules, "onConflict">): Condition {
  if (standing.kind === "earlier") return { ifMatch: standing.object.etag };
  return rules.onConflict === "overwrite" ? undefined : { ifNoneMatch: true };
}

export function fileToken(
  source: string,
  facts: Pick<FileFacts, "inode" | "birthtimeNs">,
  hash: ProcessorDeps["digests"]["hash"],
): string {
  return hash(fileTokenText(source, facts));
}
