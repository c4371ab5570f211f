/**
 * Compares a local file with an earlier object of it: which ranges of the object are still in the file at the same
 * place? The result decides whether the object may be replaced, which requires that at least half of it is unchanged,
 * and which of its bytes the next object can copy. Digests decide if they can; if they leave the first question open,
 * the object is read back from the store, up to a limit. In doubt both recordings are kept.
 */
import type { PartRange } from "../stream/checkpoint.ts";
import { StoreError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { combineAll, crc32FromBase64 } from "./crc32.ts";
import { etagPartCount, multipartEtag } from "./multipart-etag.ts";
import { metadataKey } from "./object-key.ts";
import type { ObjectRef, StoredObject } from "../ports/object-store.ts";
import { parseMetadata, type DescribedPart } from "./metadata.ts";
import { readDigests } from "./part-bytes.ts";
import { openToRead } from "./open-file.ts";
import {
  compareCells,
  countedBytes,
  judgeTally,
  type ComparedRange,
  type Comparison,
  type KnownRange,
  type Tally,
} from "./matching-bytes.ts";
import type { ObjectContext } from "./context.ts";

/** Runs once for each object found at a key while the stream is held. */
export async function compareWithObject(
  context: ObjectContext,
  ref: ObjectRef,
  object: StoredObject,
): Promise<Comparison> {
  const name = `${ref.key} ${object.etag}`;
  const before = context.compared.get(name);
  if (before) return before;
  const comparison = await compare(context, ref, object);
  context.compared.set(name, comparison);
  return comparison;
}

async function compare(context: ObjectContext, ref: ObjectRef, object: StoredObject): Promise<Comparison> {
  const tally: Tally = { equal: 0, counted: 0, unread: object.size };
  const ranges: ComparedRange[] = [];
  const differing: KnownRange[] = [];
  for (const range of await knownRanges(context, ref, object)) {
    const { offset, bytes } = range;
    if (judgeTally(tally) === "matches") {
      ranges.push({ offset, bytes, is: "unread" });
      continue;
    }
    const proof = range.crc === undefined ? (range.md5 === undefined ? undefined : "md5") : "crc32";
    const counted = proof && (await equalBytes(context, range));
    const is = proof === undefined ? "unread" : counted === undefined ? "different" : "same";
    ranges.push({ offset, bytes, is, ...(proof && { proof }) });
    if (counted === undefined) differing.push(range);
    else add(tally, bytes, { equal: counted, counted });
  }
  return { matches: (await readBack(context, ref, differing, tally)) === "matches", ranges };
}

function add(tally: Tally, bytes: number, found: Pick<Tally, "equal" | "counted">): void {
  tally.equal += found.equal;
  tally.counted += found.counted;
  tally.unread -= bytes;
}

/** The object's parts if their digests are proved to be its own, else the whole object. */
export async function knownRanges(
  context: ObjectContext,
  ref: ObjectRef,
  object: StoredObject,
): Promise<KnownRange[]> {
  if (object.size === 0) return [];
  const parts = etagPartCount(object.etag) === undefined ? undefined : await partsOf(context, ref, object);
  if (parts)
    return parts.map((part) => ({ offset: part.Offset, bytes: part.Size, ...digestsOf(context, part) }));
  const crc = object.crc32 === undefined ? undefined : crc32FromBase64(object.crc32);
  return [{ offset: 0, bytes: object.size, crc, md5: md5Of(context, object.etag) }];
}

function digestsOf(context: ObjectContext, part: DescribedPart): Pick<KnownRange, "crc" | "md5"> {
  const crc = part.ChecksumCRC32 === null ? undefined : crc32FromBase64(part.ChecksumCRC32);
  return { crc, md5: md5Of(context, part.ETag) };
}

function md5Of({ deps }: ObjectContext, etag: string): string | undefined {
  return deps.store.profile.etagIsMd5 && /^[0-9a-f]{32}$/.test(etag) ? etag : undefined;
}

/** From the metadata object, which others can write: trusted only if its parts add up to this very object. */
async function partsOf(
  context: ObjectContext,
  ref: ObjectRef,
  object: StoredObject,
): Promise<DescribedPart[] | undefined> {
  const text = await metadataText(context, { bucket: ref.bucket, key: metadataKey(ref.key) });
  const described = text === undefined ? undefined : parseMetadata(text);
  if (described?.etag !== object.etag) return undefined;
  let end = 0;
  for (const part of described.parts) {
    if (part.Offset !== end) return undefined;
    end += part.Size;
  }
  return end === object.size && makesUp(context, described.parts, object) ? described.parts : undefined;
}

/** The path of the file that the metadata object next to an object describes. */
export async function describedPath(context: ObjectContext, ref: ObjectRef): Promise<string | undefined> {
  const text = await metadataText(context, { bucket: ref.bucket, key: metadataKey(ref.key) });
  return text === undefined ? undefined : parseMetadata(text)?.path;
}

function makesUp({ deps }: ObjectContext, parts: readonly DescribedPart[], object: StoredObject): boolean {
  const etags = parts.map((part) => part.ETag);
  if (deps.store.profile.etagIsMd5 && multipartEtag(etags, deps.digests) === object.etag) return true;
  const crcs = parts.flatMap((part) => {
    const crc = part.ChecksumCRC32 === null ? undefined : crc32FromBase64(part.ChecksumCRC32);
    return crc === undefined ? [] : [{ crc, bytes: part.Size }];
  });
  if (object.crc32 === undefined || crcs.length < parts.length) return false;
  return combineAll(crcs) === crc32FromBase64(object.crc32);
}

async function metadataText(
  { deps, store, signal }: ObjectContext,
  ref: ObjectRef,
): Promise<string | undefined> {
  return await store.ask(
    "GetObject",
    async () => {
      const head = await deps.store.head(ref);
      if (head.kind !== "found" || head.object.size > LIMITS.metadataBytes) return undefined;
      const decoder = new TextDecoder();
      let text = "";
      for await (const chunk of deps.store.read(ref)) text += decoder.decode(chunk, { stream: true });
      return text + decoder.decode();
    },
    signal,
  );
}

/** How many of the range's bytes count if the file has the same ones; undefined if it does not. */
export async function equalBytes(context: ObjectContext, range: KnownRange): Promise<number | undefined> {
  let counted = 0;
  const byMd5 = range.crc === undefined;
  const read = await readDigests(context, range.offset, range.bytes, byMd5, (chunk) => {
    counted += countedBytes(chunk);
  });
  if (!read) return undefined;
  return (byMd5 ? read.md5 === range.md5 : read.crc === range.crc) ? counted : undefined;
}

/** Whether file and object begin with the same so many bytes; read back from the store. */
export async function equalStart(context: ObjectContext, ref: ObjectRef, bytes: number): Promise<boolean> {
  const start = { offset: 0, bytes };
  const object = await objectBytes(context, ref, start);
  const file = object && (await fileBytes(context, start));
  return file !== undefined && Buffer.compare(object ?? file, file) === 0;
}

async function readBack(
  context: ObjectContext,
  ref: ObjectRef,
  ranges: readonly KnownRange[],
  tally: Tally,
): Promise<ReturnType<typeof judgeTally>> {
  let left: number = LIMITS.readBackBytes;
  for (const piece of pieces(ranges)) {
    const verdict = judgeTally(tally);
    if (verdict !== "open" || left < piece.bytes) return verdict;
    left -= piece.bytes;
    const object = await objectBytes(context, ref, piece);
    const file = object && (await fileBytes(context, piece));
    if (!object || !file) return "open";
    add(tally, piece.bytes, compareCells(object, file));
  }
  return judgeTally(tally);
}

function* pieces(ranges: readonly KnownRange[]): Iterable<Pick<PartRange, "offset" | "bytes">> {
  for (const { offset, bytes } of ranges) {
    for (let done = 0; done < bytes; done += LIMITS.verifyChunkBytes) {
      yield { offset: offset + done, bytes: Math.min(LIMITS.verifyChunkBytes, bytes - done) };
    }
  }
}

/** Undefined if the object cannot be read: it is missing, or in an archive class. */
async function objectBytes(
  { deps, store, signal }: ObjectContext,
  ref: ObjectRef,
  { offset, bytes }: Pick<PartRange, "offset" | "bytes">,
): Promise<Uint8Array | undefined> {
  return await store.ask(
    "GetObject",
    async () => {
      const got = new Uint8Array(bytes);
      let at = 0;
      try {
        for await (const chunk of deps.store.read(ref, { first: offset, last: offset + bytes - 1 })) {
          if (at + chunk.length > bytes) return undefined;
          got.set(chunk, at);
          at += chunk.length;
        }
      } catch (error) {
        const gone =
          error instanceof StoreError && (error.status === 404 || error.code === "InvalidObjectState");
        if (gone) return undefined;
        throw error;
      }
      return at === bytes ? got : undefined;
    },
    signal,
  );
}

async function fileBytes(
  { deps, held }: ObjectContext,
  { offset, bytes }: Pick<PartRange, "offset" | "bytes">,
): Promise<Uint8Array | undefined> {
  await using file = await openToRead(held.record.original_path, deps);
  const got = new Uint8Array(bytes);
  return file && (await file.read(got, offset)) === bytes ? got : undefined;
}
