/** What an S3 store keeps: objects, open uploads and their parts, and what it remembers of completed ones. */
import { StoreError } from "../errors.ts";
import { combineAll } from "../object/crc32.ts";
import { multipartEtag } from "../object/multipart-etag.ts";
import { MIN_PART_BYTES } from "../stream/part-plan.ts";
import type { Digests } from "../ports/digests.ts";
import type {
  CompleteOutcome,
  CompleteRequest,
  Condition,
  ObjectHeaders,
  ObjectRef,
  StoreProfile,
  UploadRef,
} from "../ports/object-store.ts";

export interface MemoryObject extends ObjectHeaders {
  bytes: Uint8Array;
  etag: string;
  crc: number;
  lastModified: string;
}

export interface MemoryPart {
  bytes: Uint8Array;
  etag: string;
  crc: number;
  at: string;
}

export interface MemoryUpload extends UploadRef {
  headers: ObjectHeaders;
  initiated: string;
  parts: Map<number, MemoryPart>;
}

export class MemoryBucket {
  readonly objects = new Map<string, MemoryObject>();
  readonly uploads = new Map<string, MemoryUpload>();
  /** CRC32 of every object ever written, in order, by bucket and key. */
  readonly written = new Map<string, number[]>();
  readonly #completed = new Map<string, { name: string; etag: string }>();
  /** Uploads that ended, where ListParts goes on to answer for them. */
  readonly #ended = new Map<string, MemoryUpload>();
  readonly #profile: () => StoreProfile;
  readonly #digests: Digests;
  readonly #now: () => string;
  readonly #endedWithoutParts: boolean;
  #ids = 0;

  constructor(profile: () => StoreProfile, digests: Digests, now: () => string, endedWithoutParts: boolean) {
    this.#endedWithoutParts = endedWithoutParts;
    this.#profile = profile;
    this.#digests = digests;
    this.#now = now;
  }

  object(ref: ObjectRef): MemoryObject | undefined {
    return this.objects.get(nameOf(ref));
  }

  upload(ref: UploadRef): MemoryUpload | undefined {
    const upload = this.uploads.get(ref.uploadId);
    return upload?.key === ref.key && upload.bucket === ref.bucket ? upload : undefined;
  }

  /** An upload that has ended and is listed all the same. */
  ended(ref: UploadRef): MemoryUpload | undefined {
    return this.#ended.get(ref.uploadId);
  }

  end({ uploadId }: UploadRef, by: "complete" | "abort"): void {
    const { listPartsEndsWithComplete, listPartsEndsWithAbort } = this.#profile();
    const upload = this.uploads.get(uploadId);
    this.uploads.delete(uploadId);
    const told = by === "complete" ? listPartsEndsWithComplete : listPartsEndsWithAbort;
    const parts = this.#endedWithoutParts ? new Map<number, MemoryPart>() : upload?.parts;
    if (upload && parts && !told) this.#ended.set(uploadId, { ...upload, parts });
  }

  open(ref: ObjectRef, headers: ObjectHeaders): string {
    const uploadId = `upload-${(this.#ids += 1)}`;
    this.uploads.set(uploadId, { ...ref, uploadId, headers, initiated: this.#now(), parts: new Map() });
    return uploadId;
  }

  put(ref: ObjectRef, bytes: Uint8Array, headers: ObjectHeaders): MemoryObject {
    return this.#store(ref, bytes, headers, { etag: this.#etag(bytes), crc: this.#digests.crc32(bytes) });
  }

  part(bytes: Uint8Array, crc = this.#digests.crc32(bytes)): MemoryPart {
    return { bytes, etag: this.#etag(bytes), crc, at: this.#now() };
  }

  /** Whether something else than the condition allows stands there. */
  refuses(ref: ObjectRef, condition: Condition): boolean {
    if (!condition) return false;
    const there = this.object(ref);
    return "ifNoneMatch" in condition ? there !== undefined : there?.etag !== condition.ifMatch;
  }

  refusesPut(ref: ObjectRef, condition: Condition): boolean {
    return this.#profile().conditionalPut && this.refuses(ref, condition);
  }

  #refusesComplete(ref: ObjectRef, condition: Condition): boolean {
    const { conditionalComplete, ifMatchOnComplete } = this.#profile();
    if (condition === undefined) return false;
    if ("ifNoneMatch" in condition) return conditionalComplete && this.refuses(ref, condition);
    if (ifMatchOnComplete === "honoured") return this.refuses(ref, condition);
    return ifMatchOnComplete === "refused_always";
  }

  complete(ref: UploadRef, request: CompleteRequest): CompleteOutcome {
    const upload = this.upload(ref);
    if (!upload) return this.#completeAgain(ref);
    if (request.parts.length === 0) throw refused("MalformedXML", "a Complete names at least one part");
    if (this.#refusesComplete(ref, request.condition)) return { kind: "conflict" };
    const named = namedParts(upload, request);
    if (!named)
      return { kind: "invalid_part", detail: "one or more of the specified parts could not be found" };
    if (named.slice(0, -1).some((part) => part.bytes.length < MIN_PART_BYTES)) {
      return { kind: "invalid_part", detail: "EntityTooSmall" };
    }
    const crc = combineAll(named.map((part) => ({ crc: part.crc, bytes: part.bytes.length })));
    this.#mustBeWhole(named, crc, request);
    const bytes = concat(named.map((part) => part.bytes));
    const { etag } = this.#store(ref, bytes, upload.headers, { etag: this.#joined(named), crc });
    this.end(ref, "complete");
    this.#completed.set(ref.uploadId, { name: nameOf(ref), etag });
    return { kind: "completed", etag };
  }

  /** AWS answers a repeated Complete as it answered the first; many others do not know the upload any more. */
  #completeAgain(ref: UploadRef): CompleteOutcome {
    const before = this.#completed.get(ref.uploadId);
    const same = before?.name === nameOf(ref) && this.object(ref)?.etag === before.etag;
    if (!this.#profile().repeatComplete || !same) return { kind: "gone" };
    return { kind: "completed", etag: before.etag };
  }

  /** Size and checksum of the whole object, where the store checks them. */
  #mustBeWhole(named: readonly MemoryPart[], crc: number, request: CompleteRequest): void {
    if (this.#profile().checksum !== "full-object") return;
    const size = named.reduce((sum, part) => sum + part.bytes.length, 0);
    if (request.size !== size) throw refused("InvalidRequest", "x-amz-mp-object-size differs");
    if (request.crc !== undefined && request.crc !== crc) {
      throw refused("BadDigest", "the CRC32 of the whole object differs");
    }
  }

  #store(
    ref: ObjectRef,
    bytes: Uint8Array,
    { contentType, metadata }: ObjectHeaders,
    { etag, crc }: Pick<MemoryObject, "etag" | "crc">,
  ): MemoryObject {
    const object = { contentType, metadata, bytes, etag, crc, lastModified: this.#now() };
    this.objects.set(nameOf(ref), object);
    this.written.set(nameOf(ref), [...(this.written.get(nameOf(ref)) ?? []), crc]);
    return object;
  }

  #joined(parts: readonly MemoryPart[]): string {
    const etags = parts.map((part) => part.etag);
    return (this.#profile().etagIsMd5 ? multipartEtag(etags, this.#digests) : undefined) ?? this.#opaque();
  }

  #etag(bytes: Uint8Array): string {
    return this.#profile().etagIsMd5 ? this.#md5(bytes) : this.#opaque();
  }

  #md5(bytes: Uint8Array): string {
    const md5 = this.#digests.md5();
    md5.update(bytes);
    return md5.hex();
  }

  #opaque(): string {
    return `etag-${(this.#ids += 1)}`;
  }
}

export function nameOf(ref: ObjectRef): string {
  return `${ref.bucket}/${ref.key}`;
}

export function refused(code: string, message: string): StoreError {
  return new StoreError({ trouble: "rejected", code, message, status: 400 });
}

/** The parts in the order named; undefined when one is not there under that ETag, or the order is not ascending. */
function namedParts(upload: MemoryUpload, request: CompleteRequest): MemoryPart[] | undefined {
  const parts: MemoryPart[] = [];
  let last = 0;
  for (const { PartNumber, ETag } of request.parts) {
    const part = upload.parts.get(PartNumber);
    if (!part || part.etag !== ETag || PartNumber <= last) return undefined;
    last = PartNumber;
    parts.push(part);
  }
  return parts;
}

export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
