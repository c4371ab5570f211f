/**
 * Whether the object of a stored file still exists in S3 as it was verified. Checked before anything is done to the
 * only other copy. The record alone is not trusted: it may be damaged, forged, or from a Redis restored from an older
 * state.
 */
import { crc32ToBase64 } from "./crc32.ts";
import { etagPartCount } from "./multipart-etag.ts";
import type { Head, StoredObject } from "../ports/object-store.ts";
import type { StreamRecord } from "../stream/record.ts";
import { sameBytes } from "./existing-object.ts";
import { FILE_HEADER, STREAM_ID_HEADER, fileToken, headObject } from "./object-headers.ts";
import { readDigests } from "./part-bytes.ts";
import { sealedFacts } from "../stream/identity.ts";
import type { ObjectContext } from "./context.ts";

export type ObjectProof =
  | { kind: "proved"; object: StoredObject }
  /** It cannot be determined now, or never: the file stays. */
  | { kind: "unknown"; detail: string }
  /** It does not exist, or is another object: the file is sent again. */
  | { kind: "lost"; detail: string };

type Stored = Pick<StreamRecord, "id" | "file_size" | "etag" | "crc32" | "s3_key">;

/** `token`: the `sluice-file` of the local file. Judged by size, digest and owner; bytes are not read here. */
export function judgeObject(record: Stored, head: Head, token: string): ObjectProof {
  const key = record.s3_key ?? "";
  if (head.kind === "missing") return { kind: "lost", detail: `its object ${key} no longer exists` };
  if (head.kind === "unknown") {
    const detail = `the store denies HeadObject of ${key} (403), so whether the object exists cannot be determined`;
    return { kind: "unknown", detail };
  }
  const { object } = head;
  if (!isOurs(object, record.id, token)) {
    return { kind: "lost", detail: `the object at ${key} belongs to another file or program` };
  }
  if (object.size !== record.file_size) {
    const detail = `the object at ${key} has ${object.size} bytes, and ${record.file_size} were stored`;
    return { kind: "lost", detail };
  }
  return isAsRecorded(record, object)
    ? { kind: "proved", object }
    : {
        kind: "lost",
        detail: `the object at ${key} is not the one that was verified: its digest differs`,
      };
}

/** Objects of early versions, and those of a store that drops metadata, have no ids: only their digest counts. */
function isOurs({ metadata }: StoredObject, id: string, token: string): boolean {
  const { [STREAM_ID_HEADER]: streamId, [FILE_HEADER]: file } = metadata;
  return (streamId === undefined && file === undefined) || streamId === id || file === token;
}

/** The ETag may change when a store moves an object between classes; then the checksum decides. */
function isAsRecorded(record: Stored, object: StoredObject): boolean {
  if (record.crc32 !== undefined && object.crc32 !== undefined) return record.crc32 === object.crc32;
  return record.etag === object.etag;
}

export async function inspectObject(context: ObjectContext): Promise<ObjectProof> {
  const { record } = context.held;
  const { s3_bucket: bucket, s3_key: key } = record;
  if (key === undefined) return { kind: "unknown", detail: "its record names no object" };
  return judgeObject(record, await headObject(context, { bucket, key }), tokenOf(context));
}

export function tokenOf({ held, deps }: ObjectContext): string {
  return fileToken(held.record.source, sealedFacts(held.record), deps.digests.hash);
}

/**
 * Reads the local file and compares it with the object by the object's own digest; if that proves nothing about the
 * bytes, with the checksum that was recorded when both were proved equal.
 */
export async function holdsLocalBytes(
  context: ObjectContext,
  object: StoredObject,
): Promise<"same" | "different" | "unknown"> {
  const { held, deps } = context;
  const facts = sealedFacts(held.record);
  if ((await sameBytes(context, object, facts)) !== undefined) return "same";
  const isMd5 = deps.store.profile.etagIsMd5 && etagPartCount(object.etag) === undefined;
  if (object.crc32 !== undefined || isMd5) return "different";
  const local = await readDigests(context, 0, facts.size, false);
  if (local === undefined) return "different";
  if (held.record.crc32 === undefined) return "unknown";
  return held.record.crc32 === crc32ToBase64(local.crc) ? "same" : "different";
}
