/** Before the first new part of a resumed stream: what S3 holds, what the checkpoint says and what the file is, made one. */
import { reconcile } from "../checkpoint/reconcile.ts";
import { finishedPrefix } from "../checkpoint/finished-prefix.ts";
import { crc32FromBase64, crc32ToBase64 } from "../parts/crc32.ts";
import type { ListedPart } from "../ports/object-store.ts";
import type { Part } from "../stream/record.ts";
import type { OpenContext } from "./open-object.ts";
import { holdsBytes, rangeCrc, uploadRef } from "./part-sender.ts";

export type Reconciled =
  | { kind: "reconciled"; adopted: number; forgotten: number }
  | { kind: "upload_gone" }
  /** `sure: false` and the last part's bytes differ: it is another file. */
  | { kind: "another_file" };

export async function reconcileUpload(context: OpenContext, sure: boolean): Promise<Reconciled> {
  const { held, store, deps, signal } = context;
  const listing = await store.call("ListParts", () => deps.store.listParts(uploadRef(held)), signal);
  if (listing.kind === "gone") return { kind: "upload_gone" };
  const found = reconcile(held.parts, listing.parts, held.plan);
  const last = found.keep.toSorted((a, b) => b.PartNumber - a.PartNumber)[0];
  if (!sure && last && !(await holdsLast(context, last))) return { kind: "another_file" };
  const adopted: Part[] = [];
  for (const { listed, offset } of found.check) {
    const part = await adopt(context, listed, offset);
    if (part) adopted.push(part);
  }
  const parts = [...found.keep, ...adopted];
  const forgotten = found.forget.filter((n) => held.parts.has(n)).length;
  if (adopted.length === 0 && parts.length === held.parts.size) return { kind: "reconciled", adopted: 0, forgotten };
  const prefix = finishedPrefix(new Map(parts.map((part) => [part.PartNumber, part])), held.plan);
  await held.update({
    dropParts: true,
    parts,
    patch: { next_part: prefix.nextPart, bytes_sent: prefix.bytes },
    log: [`S3 and checkpoint reconciled: ${adopted.length} parts adopted, ${forgotten} to be sent again`],
  });
  return { kind: "reconciled", adopted: adopted.length, forgotten };
}

/** The part as a checkpoint entry when its bytes are the file's; undefined when they are not or cannot be told. */
async function adopt(context: OpenContext, listed: ListedPart, offset: number): Promise<Part | undefined> {
  const read = await readDigests(context, offset, listed.Size);
  if (!read || !holdsBytes(listed, read.crc, () => read.md5, context.deps)) return undefined;
  context.deps.observer.partAdopted(context.held.record, { number: listed.PartNumber, bytes: listed.Size });
  return {
    PartNumber: listed.PartNumber,
    ETag: listed.ETag,
    Size: listed.Size,
    Offset: offset,
    ChecksumCRC32: crc32ToBase64(read.crc),
    ...(listed.LastModified === undefined ? {} : { UploadedAt: listed.LastModified }),
    Attempts: 1,
  };
}

async function holdsLast(context: OpenContext, part: Part): Promise<boolean> {
  const read = await readDigests(context, part.Offset, part.Size);
  if (!read) return false;
  if (part.ChecksumCRC32 !== undefined) return crc32FromBase64(part.ChecksumCRC32) === read.crc;
  return !context.deps.store.profile.etagIsMd5 || part.ETag === read.md5;
}

/** CRC32 and MD5 of a range of the local file; undefined when the file does not hold it. */
async function readDigests(context: OpenContext, offset: number, bytes: number) {
  const { deps, held, signal } = context;
  const slot = await deps.verifyLane.enter(held.record.id, signal);
  try {
    const opened = await deps.files.open(held.record.original_path);
    if (opened.kind !== "file") return undefined;
    await using file = opened.file;
    const md5 = deps.digests.md5();
    const crc = await rangeCrc(file, { offset, bytes }, slot.buffer, deps, (chunk) => md5.update(chunk));
    return crc === undefined ? undefined : { crc, md5: md5.hex() };
  } finally {
    slot.release();
  }
}
