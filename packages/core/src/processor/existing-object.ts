/**
 * What an object that stands at our key is to us. An object of another file or program is never ours to replace;
 * one that already holds the file's bytes is recognised, and nothing is sent.
 */
import { combineAll, crc32FromBase64 } from "../parts/crc32.ts";
import { fileTokenText, type FileFacts } from "../stream/identity.ts";
import type { Condition, ObjectRef, StoredObject } from "../ports/object-store.ts";
import type { OpenContext } from "./open-object.ts";
import { rangeCrc } from "./part-sender.ts";
import type { WatchRules } from "./dependencies.ts";

export const STREAM_ID_HEADER = "sluice-stream-id";
export const FILE_HEADER = "sluice-file";

export type Standing =
  | { kind: "free" }
  | { kind: "foreign" }
  /** An object of the same file, not longer than it is now: this stream replaces it. */
  | { kind: "earlier"; etag: string }
  /** It holds the file's bytes. `own`: this very stream put it there. */
  | { kind: "same"; own: boolean; object: StoredObject; crc: number };

/** Asks the store, and where the sizes are equal compares the bytes with the local file. */
export async function lookAtKey(context: OpenContext, ref: ObjectRef, facts: FileFacts): Promise<Standing> {
  const { held, store, deps, signal } = context;
  const head = await store.call("HeadObject", () => deps.store.head(ref), signal);
  if (head.kind !== "found") return { kind: "free" };
  const object = head.object;
  const own = object.metadata[STREAM_ID_HEADER] === held.record.id;
  if (!own && !ofSameFile(object, context, facts)) return { kind: "foreign" };
  if (object.size > facts.size) return own ? { kind: "earlier", etag: object.etag } : { kind: "foreign" };
  const crc = object.size === facts.size ? await sameBytes(context, object, facts) : undefined;
  return crc === undefined ? { kind: "earlier", etag: object.etag } : { kind: "same", own, object, crc };
}

function ofSameFile(object: StoredObject, context: OpenContext, facts: FileFacts): boolean {
  const { record } = context.held;
  const token = fileToken(record.source, facts, context.deps.digests.hash);
  if (object.metadata[FILE_HEADER] === token) return true;
  return record.supersedes !== undefined && object.metadata[STREAM_ID_HEADER] === record.supersedes;
}

/** The file's CRC32 when the object is known to hold the same bytes, by CRC32 or by an ETag that is an MD5. */
async function sameBytes(context: OpenContext, object: StoredObject, facts: FileFacts): Promise<number | undefined> {
  const { deps, held, signal } = context;
  const slot = await deps.verifyLane.enter(held.record.id, signal);
  try {
    const opened = await deps.files.open(held.record.original_path);
    if (opened.kind !== "file") return undefined;
    await using file = opened.file;
    const md5 = object.crc32 === undefined ? deps.digests.md5() : undefined;
    const range = { offset: 0, bytes: facts.size };
    const crc = await rangeCrc(file, range, slot.buffer, deps, (chunk) => md5?.update(chunk));
    if (crc === undefined) return undefined;
    if (object.crc32 !== undefined) return crc32FromBase64(object.crc32) === crc ? crc : undefined;
    return deps.store.profile.etagIsMd5 && md5?.hex() === object.etag ? crc : undefined;
  } finally {
    slot.release();
  }
}

/** The condition under which a write goes through only if this is still what stands there. */
export function conditionFor(standing: Standing, rules: Pick<WatchRules, "onConflict">): Condition {
  if (standing.kind === "earlier") return { ifMatch: standing.etag };
  if (standing.kind === "same") return { ifMatch: standing.object.etag };
  return rules.onConflict === "overwrite" ? undefined : { ifNoneMatch: true };
}

export function fileToken(
  source: string,
  facts: Pick<FileFacts, "inode" | "birthtimeNs">,
  hash: (text: string) => string,
): string {
  return hash(fileTokenText(source, facts));
}

/** CRC32 of an object made of parts, or undefined when one part is not known by CRC. */
export function wholeCrc(parts: readonly { ChecksumCRC32?: string; Size: number }[]): number | undefined {
  const crcs: { crc: number; bytes: number }[] = [];
  for (const part of parts) {
    const crc = part.ChecksumCRC32 === undefined ? undefined : crc32FromBase64(part.ChecksumCRC32);
    if (crc === undefined) return undefined;
    crcs.push({ crc, bytes: part.Size });
  }
  return combineAll(crcs);
}
