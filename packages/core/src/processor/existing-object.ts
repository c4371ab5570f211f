/**
 * What an object that stands at our key is to us. An object of another file or program is never ours to replace;
 * one that already holds the file's bytes is recognised, and nothing is sent.
 */
import { pendingRanges, type PartRange } from "../checkpoint/pending-ranges.ts";
import { combineCrc32, crc32FromBase64 } from "../parts/crc32.ts";
import { etagPartCount, multipartEtag } from "../parts/multipart-etag.ts";
import type { PartPlan } from "../parts/part-plan.ts";
import type { Condition, Head, ObjectRef, StoredObject } from "../ports/object-store.ts";
import { fileTokenText, type FileFacts } from "../stream/identity.ts";
import type { StreamRecord } from "../stream/record.ts";
import type { ProcessorDeps, WatchRules } from "./dependencies.ts";
import type { OpenContext } from "./open-object.ts";
import { readDigests } from "./part-bytes.ts";

export const STREAM_ID_HEADER = "sluice-stream-id";
export const FILE_HEADER = "sluice-file";

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
  const streamId = object.metadata[STREAM_ID_HEADER];
  if (streamId === record.id) return { kind: "earlier", own: true, object };
  const sameFile =
    object.metadata[FILE_HEADER] === fileToken(record.source, facts, hash) ||
    (streamId !== undefined && streamId === record.supersedes);
  if (!sameFile || object.size > facts.size) return { kind: "foreign" };
  return { kind: "earlier", own: false, object };
}

/** Asks the store, and where the sizes are equal compares the bytes with the local file. */
export async function lookAtKey(
  context: OpenContext,
  ref: ObjectRef,
  facts: FileFacts,
): Promise<Standing | SameBytes> {
  const { held, deps } = context;
  const standing = standingOf(await headObject(context, ref), held.record, facts, deps.digests.hash);
  if (standing.kind !== "earlier" || standing.object.size !== facts.size) return standing;
  const crc = await sameBytes(context, standing.object, facts);
  return crc === undefined ? standing : { ...standing, kind: "same", crc };
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
  const { deps, held } = context;
  const byEtag = object.crc32 === undefined;
  if (byEtag && !deps.store.profile.etagIsMd5) return undefined;
  const count = byEtag ? etagPartCount(object.etag) : undefined;
  const ranges = count === undefined ? [{ offset: 0, bytes: facts.size }] : gridRanges(held.plan, facts.size);
  if (count !== undefined && ranges.length !== count) return undefined;
  let crc = 0;
  const md5s: string[] = [];
  for (const { offset, bytes } of ranges) {
    const read = await readDigests(context, offset, bytes, byEtag);
    if (!read) return undefined;
    crc = combineCrc32(crc, read.crc, bytes);
    md5s.push(read.md5);
  }
  if (object.crc32 !== undefined) return crc32FromBase64(object.crc32) === crc ? crc : undefined;
  const etag = count === undefined ? md5s[0] : multipartEtag(md5s, deps.digests);
  return etag === object.etag ? crc : undefined;
}

/** The parts a file of this size is cut into; none for a plan whose parts are not on a grid. */
function gridRanges(plan: PartPlan, size: number): PartRange[] {
  if (plan.kind === "listed") return [];
  return pendingRanges(new Map(), plan, size, { tail: true, limit: Infinity });
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
