/**
 * Sends one part from the local file to S3 and into the checkpoint. A part whose outcome is unknown is looked up by
 * ListParts before it is sent again, so nothing that S3 acknowledged is sent twice.
 */
import { assert } from "../assert.ts";
import { isTail, type PartRange } from "../stream/checkpoint.ts";
import { FileError, StoreError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { partBytes } from "../stream/part-plan.ts";
import { crc32ToBase64 } from "./crc32.ts";
import { isoNow } from "../ports/clock.ts";
import type { OpenFile } from "../ports/file-source.ts";
import type { ListedPart, PartBody, PartOutcome, UploadRef } from "../ports/object-store.ts";
import { sameFile } from "../stream/identity.ts";
import type { Part } from "../stream/record.ts";
import type { OwnedStream } from "../flow/owned-stream.ts";
import { openToRead } from "./open-file.ts";
import { openOwnFile } from "./proof-by-bytes.ts";
import { holdsBytes, md5Hex, rangeCrc, readDigests, tellsBytes } from "./part-bytes.ts";
import { mayMakeObject, reach, type ObjectContext } from "./context.ts";

export type Sent =
  | { kind: "sent"; part: Part }
  /** The file has changed, or has fewer bytes than requested: check again before deciding. */
  | { kind: "file_moved_on" }
  /** The upload no longer exists in S3. */
  | { kind: "upload_gone" };

export type SentTail =
  | Sent
  /** Not sent: the worker's lease is not fresh. */
  | { kind: "fenced" };

/** Uploads the range and saves the part. Waits for its turn in the lane and for an unavailable store. */
export async function sendPart(context: ObjectContext, range: PartRange): Promise<Sent> {
  const sent = await send(
    context,
    () => Promise.resolve(range),
    () => true,
  );
  assert(sent.kind !== "fenced", "a part that is due is sent under any lease: its place is its own");
  return sent;
}

/**
 * The safeguard: the part that is not full yet, as far as the file goes when its turn comes. Another worker may have sent
 * the full part since: only who still holds the stream puts a short one in its place.
 */
export async function sendTail(context: ObjectContext, { number, offset }: PartRange): Promise<SentTail> {
  const full = partBytes(context.held.plan, number);
  const toEnd = async (file: OpenFile): Promise<PartRange | undefined> => {
    const bytes = Math.min(full, (await file.facts()).size - offset);
    return bytes > 0 ? { number, offset, bytes } : undefined;
  };
  return await send(context, toEnd, () => mayMakeObject(context));
}

async function send(
  context: ObjectContext,
  measure: (file: OpenFile) => Promise<PartRange | undefined>,
  maySend: () => boolean,
): Promise<SentTail> {
  const { held, deps, signal } = context;
  const slot = await deps.lane.enter(held.record.id, signal);
  try {
    await using source = await context.file.hold(() => openOwnFile(context));
    const range = source && (await measure(source.file));
    const prepared = range && (await prepare(context, range, source.file, slot.buffer));
    if (!prepared) return { kind: "file_moved_on" };
    await reach(context, "part_sending");
    const startedMs = deps.clock.monotonicMs();
    const answer = await upload(context, { range, prepared, maySend });
    if (answer.kind === "moved_on") return { kind: "file_moved_on" };
    if (answer.kind === "gone") return { kind: "upload_gone" };
    if (answer.kind === "fenced") return answer;
    await reach(context, "part_acknowledged");
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
    await reach(context, "part_recorded");
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
  /** Why the body of a large part ended early. */
  readTrouble: MovedOnError | FileError | undefined;
}

/** The file has changed since its CRC32 was read. */
class MovedOnError extends Error {}

/** Reads the range: into the slot's buffer if it fits, else once for its CRC and again for each attempt. */
async function prepare(
  context: ObjectContext,
  range: PartRange,
  file: OpenFile,
  buffer: Uint8Array,
): Promise<Prepared | undefined> {
  const { held, deps } = context;
  const asked = { at: "its_path", sentBytes: range.offset + range.bytes } as const;
  if (sameFile(held.record, await file.facts(), asked).kind === "other") return undefined;
  if (range.bytes > buffer.length) {
    const crc = await rangeCrc(file, range, buffer, deps.digests);
    if (crc === undefined) return undefined;
    const open = (): AsyncIterable<Uint8Array> => readAgain(context, range, prepared);
    const prepared: Prepared = {
      crc,
      body: { kind: "range", bytes: range.bytes, open },
      readTrouble: undefined,
    };
    return prepared;
  }
  const bytes = buffer.subarray(0, range.bytes);
  if ((await file.read(bytes, range.offset)) < range.bytes) return undefined;
  return { crc: deps.digests.crc32(bytes), body: { kind: "bytes", bytes }, readTrouble: undefined };
}

/**
 * The bytes of a large part, with the file opened again. They end early, and the attempt with them, unless they are the
 * bytes whose CRC was read: a body is never shortened, and never differs from its checksum.
 */
async function* readAgain(
  context: ObjectContext,
  range: PartRange,
  prepared: Prepared,
): AsyncIterable<Uint8Array> {
  try {
    yield* sameBytes(context, range, prepared.crc);
  } catch (error) {
    if (error instanceof MovedOnError || error instanceof FileError) prepared.readTrouble = error;
    throw error;
  }
}

async function* sameBytes(
  context: ObjectContext,
  range: PartRange,
  wanted: number,
): AsyncIterable<Uint8Array> {
  const { held, deps } = context;
  await using file = await openToRead(held.record.original_path, deps);
  let crc = 0;
  for (let done = 0; done < range.bytes;) {
    const chunk = new Uint8Array(Math.min(LIMITS.verifyChunkBytes, range.bytes - done));
    const got = file ? await file.read(chunk, range.offset + done) : 0;
    done += chunk.length;
    crc = deps.digests.crc32(chunk, crc);
    if (got < chunk.length || (done === range.bytes && crc !== wanted)) {
      throw new MovedOnError(`part ${range.number} of the file is not what it was when its CRC32 was read`);
    }
    yield chunk;
  }
}

type Answer =
  | { kind: "stored"; etag: string; attempts: number }
  | { kind: "gone" }
  | { kind: "moved_on" }
  | { kind: "fenced" };

interface Upload {
  range: PartRange;
  prepared: Prepared;
  /** Asked at the last moment: the store may have been away for longer than the lease. */
  maySend: () => boolean;
}

async function upload(context: ObjectContext, { range, prepared, maySend }: Upload): Promise<Answer> {
  const { held, store, deps, signal } = context;
  const ref = uploadRef(held);
  let attempts = 0;
  /** Attempts that may still be carried out, and until when. */
  const unknown = { attempts: 0, untilMs: 0 };
  const answer = await store.send<Answer>(
    `part ${range.number}`,
    async () => {
      if (!maySend()) return { kind: "fenced" };
      attempts += 1;
      unknown.attempts += 1;
      unknown.untilMs = deps.clock.monotonicMs() + deps.bodyDeadlineMs(range.bytes);
      const outcome = await attempt(context, ref, range, prepared).catch((error: unknown) => {
        if (!(error instanceof StoreError && error.outcomeUnknown)) unknown.attempts -= 1;
        throw error;
      });
      unknown.attempts -= 1;
      return outcome.kind === "stored" ? { ...outcome, attempts } : outcome;
    },
    signal,
    async () => {
      const found = await lookUp(context, ref, range, prepared);
      if (found === "gone") return { kind: "gone" };
      if (found) unknown.attempts -= 1;
      return found && { kind: "stored", etag: found.ETag, attempts };
    },
  );
  // It holds the same bytes as the part that was stored, and fewer than the full one that comes next under its number.
  const { number, bytes } = range;
  if (unknown.attempts > 0 && isTail({ PartNumber: number, Size: bytes }, held.plan))
    held.doubts({ number, untilMs: unknown.untilMs });
  return answer;
}

async function attempt(
  context: ObjectContext,
  ref: UploadRef,
  range: PartRange,
  prepared: Prepared,
): Promise<PartOutcome | { kind: "moved_on" }> {
  const { deps, signal } = context;
  const { body, crc } = prepared;
  try {
    return await deps.store.uploadPart(ref, range.number, { body, crc, signal });
  } catch (error) {
    // The store is not to blame for a body that ended by itself.
    if (prepared.readTrouble instanceof MovedOnError) return { kind: "moved_on" };
    throw prepared.readTrouble ?? error;
  }
}

/** Whether S3 accepted the part although its answer was lost. */
async function lookUp(
  context: ObjectContext,
  ref: UploadRef,
  range: PartRange,
  prepared: Prepared,
): Promise<ListedPart | "gone" | undefined> {
  const { deps, store, signal } = context;
  const listing = await store.ask("ListParts", () => deps.store.listParts(ref), signal);
  if (listing.kind === "gone") return "gone";
  const listed = listing.parts.find((part) => part.PartNumber === range.number);
  if (!listed || listed.Size !== range.bytes || !tellsBytes(listed, deps.store.profile)) return undefined;
  const md5 = listed.ChecksumCRC32 === undefined ? await md5Of(context, range, prepared) : "";
  return holdsBytes(listed, prepared.crc, md5, deps.store.profile) ? listed : undefined;
}

async function md5Of(context: ObjectContext, range: PartRange, { body, crc }: Prepared): Promise<string> {
  if (body.kind === "bytes") return md5Hex(body.bytes, context.deps.digests);
  const read = await readDigests(context, range.offset, range.bytes);
  return read?.crc === crc ? read.md5 : "";
}

export function uploadRef(held: OwnedStream): UploadRef {
  const { s3_bucket, s3_key, s3_upload_id } = held.record;
  assert(
    s3_key !== undefined && s3_upload_id !== undefined,
    "a stream that sends parts has a key and an upload id",
  );
  return { bucket: s3_bucket, key: s3_key, uploadId: s3_upload_id };
}
