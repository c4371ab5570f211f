/**
 * One part from the local file into S3 and into the checkpoint. A part whose outcome is unknown is looked up by
 * ListParts before it is sent again, so nothing S3 acknowledged goes twice.
 */
import { assert } from "../assert.ts";
import { crc32ToBase64 } from "../parts/crc32.ts";
import type { PartRange } from "../checkpoint/pending-ranges.ts";
import type { OpenFile } from "../ports/file-source.ts";
import type { ListedPart, PartBody, UploadRef } from "../ports/object-store.ts";
import { isoNow } from "../ports/clock.ts";
import type { Part } from "../stream/record.ts";
import { sameFile } from "../stream/identity.ts";
import type { HeldStream } from "./held-stream.ts";
import type { ProcessorDeps } from "./dependencies.ts";
import { LIMITS } from "../limits.ts";
import type { PatientStore } from "./patient-store.ts";

export type Sent =
  | { kind: "sent"; part: Part }
  /** The file is not what it was, or holds fewer bytes than asked for: look again before deciding. */
  | { kind: "file_moved_on" }
  /** S3 does not know the upload any more. */
  | { kind: "upload_gone" };

/** Uploads the range and saves the part. Waits for its turn in the lane and for a store in trouble. */
export async function sendPart(
  held: HeldStream,
  range: PartRange,
  store: PatientStore,
  deps: ProcessorDeps,
  signal: AbortSignal,
): Promise<Sent> {
  const slot = await deps.lane.enter(held.record.id, signal);
  try {
    const prepared = await prepare(held, range, slot.buffer, deps);
    if (!prepared) return { kind: "file_moved_on" };
    const startedMs = deps.clock.monotonicMs();
    const answer = await upload(held, range, prepared, store, deps, signal);
    if (answer.kind === "gone") return { kind: "upload_gone" };
    const part: Part = {
      PartNumber: range.number,
      ETag: answer.etag,
      Size: range.bytes,
      Offset: range.offset,
      ChecksumCRC32: crc32ToBase64(prepared.crc),
      UploadedAt: isoNow(deps.clock),
      Attempts: answer.attempts,
      DurationMs: Math.round(deps.clock.monotonicMs() - startedMs),
    };
    await held.savePart(part);
    deps.observer.partAcknowledged(held.record, {
      number: range.number,
      bytes: range.bytes,
      ms: part.DurationMs ?? 0,
      attempts: answer.attempts,
    });
    return { kind: "sent", part };
  } finally {
    slot.release();
  }
}

interface Prepared {
  crc: number;
  body: PartBody;
}

/** Reads the range: into the slot's buffer where it fits, else once for its CRC and again for each attempt. */
async function prepare(held: HeldStream, range: PartRange, buffer: Uint8Array, deps: ProcessorDeps): Promise<Prepared | undefined> {
  const opened = await deps.files.open(held.record.original_path);
  if (opened.kind !== "file") return undefined;
  await using file = opened.file;
  const facts = await file.facts();
  if (!sameFile(held.record, facts, range.offset + range.bytes).same) return undefined;
  if (range.bytes > buffer.length) {
    const crc = await rangeCrc(file, range, buffer, deps);
    if (crc === undefined) return undefined;
    return { crc, body: { kind: "range", bytes: range.bytes, open: () => readRange(held, range, deps) } };
  }
  const bytes = buffer.subarray(0, range.bytes);
  if ((await file.read(bytes, range.offset)) < range.bytes) return undefined;
  return { crc: deps.digests.crc32(bytes), body: { kind: "bytes", bytes } };
}

/** CRC32 of a range of an open file; undefined when the file ends before it. */
export async function rangeCrc(
  file: OpenFile,
  range: { offset: number; bytes: number },
  buffer: Uint8Array,
  deps: Pick<ProcessorDeps, "digests">,
  onChunk?: (chunk: Uint8Array) => void,
): Promise<number | undefined> {
  let crc = 0;
  for (let done = 0; done < range.bytes; ) {
    const chunk = buffer.subarray(0, Math.min(buffer.length, range.bytes - done));
    const got = await file.read(chunk, range.offset + done);
    if (got < chunk.length) return undefined;
    crc = deps.digests.crc32(chunk, crc);
    onChunk?.(chunk);
    done += got;
  }
  return crc;
}

/** The bytes of a large part, the file opened anew. A file that ends early fails the attempt, never shortens it. */
async function* readRange(held: HeldStream, range: PartRange, deps: ProcessorDeps): AsyncIterable<Uint8Array> {
  const opened = await deps.files.open(held.record.original_path);
  assert(opened.kind === "file", "the file was there when its CRC was read");
  await using file = opened.file;
  for (let done = 0; done < range.bytes; ) {
    const chunk = new Uint8Array(Math.min(LIMITS.verifyChunkBytes, range.bytes - done));
    const got = await file.read(chunk, range.offset + done);
    assert(got === chunk.length, "the file holds the range whose CRC was read");
    yield chunk;
    done += got;
  }
}

type Answer = { kind: "stored"; etag: string; attempts: number } | { kind: "gone" };

async function upload(
  held: HeldStream,
  range: PartRange,
  prepared: Prepared,
  store: PatientStore,
  deps: ProcessorDeps,
  signal: AbortSignal,
): Promise<Answer> {
  const ref = uploadRef(held);
  let attempts = 0;
  return await store.call<Answer>(
    `part ${range.number}`,
    async () => {
      attempts += 1;
      const outcome = await deps.store.uploadPart(ref, range.number, { body: prepared.body, crc: prepared.crc, signal });
      return outcome.kind === "gone" ? outcome : { ...outcome, attempts };
    },
    signal,
    async () => {
      const found = await lookUp(ref, range, prepared, store, deps, signal);
      if (found === "gone") return { kind: "gone" };
      return found && { kind: "stored", etag: found.ETag, attempts };
    },
  );
}

/** Whether S3 took the part although its answer was lost. */
async function lookUp(
  ref: UploadRef,
  range: PartRange,
  prepared: Prepared,
  store: PatientStore,
  deps: ProcessorDeps,
  signal: AbortSignal,
): Promise<ListedPart | "gone" | undefined> {
  const listing = await store.call("ListParts", () => deps.store.listParts(ref), signal);
  if (listing.kind === "gone") return "gone";
  const listed = listing.parts.find((part) => part.PartNumber === range.number);
  if (!listed || listed.Size !== range.bytes) return undefined;
  const { body } = prepared;
  const md5 = (): string | undefined => (body.kind === "bytes" ? md5Hex(body.bytes, deps) : undefined);
  return holdsBytes(listed, prepared.crc, md5, deps) ? listed : undefined;
}

/** Whether a listed part is known to hold these bytes: by its CRC32, else by an ETag that is an MD5. */
export function holdsBytes(
  listed: Pick<ListedPart, "ETag" | "ChecksumCRC32">,
  crc: number,
  md5: () => string | undefined,
  deps: Pick<ProcessorDeps, "store">,
): boolean {
  if (listed.ChecksumCRC32 !== undefined) return listed.ChecksumCRC32 === crc32ToBase64(crc);
  return deps.store.profile.etagIsMd5 && listed.ETag === md5();
}

export function md5Hex(bytes: Uint8Array, deps: Pick<ProcessorDeps, "digests">): string {
  const md5 = deps.digests.md5();
  md5.update(bytes);
  return md5.hex();
}

export function uploadRef(held: HeldStream): UploadRef {
  const { s3_bucket, s3_key, s3_upload_id } = held.record;
  assert(s3_key !== undefined && s3_upload_id !== undefined, "a stream that sends parts has a key and an upload id");
  return { bucket: s3_bucket, key: s3_key, uploadId: s3_upload_id };
}
