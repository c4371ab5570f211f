/**
 * S3 in memory, with the semantics AWS has and switches for what other stores lack. It counts what it is asked, and
 * remembers every part it took twice.
 */
import { StoreError } from "../errors.ts";
import { crc32ToBase64 } from "../object/crc32.ts";
import type { Clock } from "../ports/clock.ts";
import type { Digests } from "../ports/digests.ts";
import type {
  ByteSpan,
  CompleteOutcome,
  CompleteRequest,
  CopyOutcome,
  CopyRequest,
  CreatedUpload,
  Demotion,
  Head,
  ListedPart,
  Listing,
  ObjectHeaders,
  ObjectRef,
  ObjectStore,
  OpenUpload,
  PartBody,
  PartOutcome,
  PartRequest,
  PutOutcome,
  PutRequest,
  StoreProfile,
  UploadRef,
} from "../ports/object-store.ts";
import { MAX_PARTS } from "../stream/values.ts";
import {
  concat,
  MemoryBucket,
  nameOf,
  refused,
  type MemoryObject,
  type MemoryPart,
  type MemoryUpload,
} from "./memory-bucket.ts";

/** Everything AWS has. */
export const FULL_PROFILE: StoreProfile = {
  checksum: "full-object",
  unsignedPayload: true,
  checksumsInComplete: true,
  repeatComplete: true,
  conditionalComplete: true,
  ifMatchOnComplete: "honoured",
  conditionalPut: true,
  listPartsEndsWithComplete: true,
  listPartsEndsWithAbort: true,
  etagIsMd5: true,
  listsUploadsByPrefix: true,
  headMissingIs404: true,
  unequalParts: true,
  copiesRanges: true,
  maxParts: MAX_PARTS,
  maxObjectBytes: 5 * 1024 ** 4,
};

export interface AccessEntry {
  op: string;
  key: string;
  part?: number;
  bytes?: number;
  outcome: string;
}

export interface MemoryStoreOptions {
  clock: Pick<Clock, "wallMs">;
  digests: Digests;
  profile?: Partial<StoreProfile> | undefined;
  /** Where the store is not as its profile says. */
  behaves?: Partial<StoreProfile> | undefined;
  /** What ListParts shows of an ended upload, where it shows it at all, has no parts. */
  endedWithoutParts?: boolean | undefined;
}

export class MemoryObjectStore implements ObjectStore {
  profile: StoreProfile;
  /** Why the profile was changed at work. */
  readonly demotions: string[] = [];
  clockSkewMs = 0;
  readonly log: AccessEntry[] = [];
  /** Parts whose same bytes were taken more than once under the same number of the same upload. */
  readonly takenTwice: { uploadId: string; part: number; bytes: number }[] = [];
  readonly #taken = new Set<string>();
  readonly #digests: Digests;
  readonly #bucket: MemoryBucket;
  /** Looks at an upload at the moment it is aborted. */
  onAbort: (upload: MemoryUpload) => void = () => undefined;
  #abortsAt: { abortsAt?: string } = {};

  constructor(options: MemoryStoreOptions) {
    const { clock, digests, profile, behaves, endedWithoutParts = false } = options;
    this.#digests = digests;
    this.profile = { ...FULL_PROFILE, ...profile };
    this.#bucket = new MemoryBucket(
      () => ({ ...this.profile, ...behaves }),
      digests,
      () => new Date(clock.wallMs() + this.clockSkewMs).toISOString(),
      endedWithoutParts,
    );
  }

  // What a test asks and does.

  object(bucket: string, key: string): MemoryObject | undefined {
    return this.#bucket.object({ bucket, key });
  }

  keys(): string[] {
    return [...this.#bucket.objects.keys()].map((name) => name.slice(name.indexOf("/") + 1)).toSorted();
  }

  uploads(): { uploadId: string; key: string; parts: number[]; headers: ObjectHeaders }[] {
    return [...this.#bucket.uploads.values()].map(({ uploadId, key, parts, headers }) => {
      return { uploadId, key, parts: [...parts.keys()].toSorted((a, b) => a - b), headers };
    });
  }

  /** CRC32 of every version of the object, oldest first. */
  versions(bucket: string, key: string): readonly number[] {
    return this.#bucket.written.get(nameOf({ bucket, key })) ?? [];
  }

  /** How often an operation was asked for. */
  count(op: string): number {
    return this.log.filter((entry) => entry.op === op).length;
  }

  /** Another program writes an object. */
  putForeign(bucket: string, key: string, bytes: Uint8Array, metadata: Record<string, string> = {}): void {
    this.#bucket.put({ bucket, key }, bytes, { contentType: "application/octet-stream", metadata });
  }

  deleteObject(bucket: string, key: string): void {
    this.#bucket.objects.delete(nameOf({ bucket, key }));
  }

  /** A lifecycle rule removes the upload. */
  dropUpload(uploadId: string): void {
    this.#bucket.uploads.delete(uploadId);
  }

  /** A lifecycle rule will: the store says when. */
  abortUploadsAt(abortsAt: string): void {
    this.#abortsAt = { abortsAt };
  }

  /** A late, older request for the same number finishes: the part there is another one now. */
  overwritePart(uploadId: string, part: number, bytes: Uint8Array): void {
    const upload = this.#bucket.uploads.get(uploadId);
    if (!upload) throw new Error(`no upload ${uploadId}`);
    upload.parts.set(part, this.#bucket.part(bytes));
  }

  // The port.

  async demote(change: Demotion, because: string): Promise<void> {
    Object.assign(this.profile, change);
    this.demotions.push(because);
  }

  async head(ref: ObjectRef): Promise<Head> {
    const object = this.#bucket.object(ref);
    const missing = this.profile.headMissingIs404 ? ("missing" as const) : ("unknown" as const);
    this.#note("head", ref, object ? "found" : missing);
    if (!object) return { kind: missing };
    const { bytes, etag, crc, metadata, lastModified } = object;
    const crc32 = this.profile.checksum === "full-object" ? { crc32: crc32ToBase64(crc) } : {};
    return { kind: "found", object: { size: bytes.length, etag, metadata, lastModified, ...crc32 } };
  }

  async put(ref: ObjectRef, request: PutRequest): Promise<PutOutcome> {
    this.#mustArriveWhole(request.body, request.crc);
    if (this.#bucket.refusesPut(ref, request.condition)) {
      this.#note("put", ref, "conflict");
      return { kind: "conflict" };
    }
    const { etag } = this.#bucket.put(ref, request.body.slice(), request);
    this.#note("put", ref, "stored", { bytes: request.body.length });
    return { kind: "stored", etag, verified: this.#keepsCrc };
  }

  async createUpload(ref: ObjectRef, headers: ObjectHeaders): Promise<CreatedUpload> {
    const uploadId = this.#bucket.open(ref, headers);
    this.#note("createUpload", ref, uploadId);
    return { uploadId, ...this.#abortsAt };
  }

  async uploadPart(ref: UploadRef, partNumber: number, request: PartRequest): Promise<PartOutcome> {
    const bytes = await gather(request.body);
    request.signal?.throwIfAborted();
    const upload = this.#bucket.upload(ref);
    if (!upload) {
      this.#note("uploadPart", ref, "gone", { part: partNumber });
      return { kind: "gone" };
    }
    const part = this.#bucket.part(bytes, this.#mustArriveWhole(bytes, request.crc));
    upload.parts.set(partNumber, part);
    this.#countTaken(ref, partNumber, part);
    this.#note("uploadPart", ref, "stored", { part: partNumber, bytes: bytes.length });
    return { kind: "stored", etag: part.etag };
  }

  async copyPart(ref: UploadRef, partNumber: number, request: CopyRequest): Promise<CopyOutcome> {
    request.signal?.throwIfAborted();
    const outcome = this.#copy(ref, partNumber, request);
    const { first, last } = request.range;
    this.#note("copyPart", ref, outcome.kind, { part: partNumber, bytes: last - first + 1 });
    return outcome;
  }

  #copy(
    ref: UploadRef,
    number: number,
    { source, ifMatch, range: { first, last } }: CopyRequest,
  ): CopyOutcome {
    if (!this.profile.copiesRanges) return { kind: "refused", detail: "NotImplemented" };
    const upload = this.#bucket.upload(ref);
    if (!upload) return { kind: "gone" };
    const object = this.#bucket.object(source);
    if (object?.etag !== ifMatch) return { kind: "source_changed" };
    if (last >= object.bytes.length) return { kind: "refused", detail: "InvalidArgument" };
    const part = this.#bucket.part(object.bytes.slice(first, last + 1));
    upload.parts.set(number, part);
    const crc = this.#keepsCrc ? { crc32: crc32ToBase64(part.crc) } : {};
    return { kind: "copied", etag: part.etag, ...crc };
  }

  async listParts(ref: UploadRef): Promise<Listing> {
    const upload = this.#bucket.upload(ref) ?? this.#bucket.ended(ref);
    this.#note("listParts", ref, upload ? "alive" : "gone");
    if (!upload) return { kind: "gone" };
    const parts = [...upload.parts].toSorted(([a], [b]) => a - b);
    return {
      kind: "alive",
      parts: parts.map(([number, part]) => this.#listed(number, part)),
      ...this.#abortsAt,
    };
  }

  async complete(ref: UploadRef, request: CompleteRequest): Promise<CompleteOutcome> {
    const outcome = this.#bucket.complete(ref, request);
    this.#note("complete", ref, outcome.kind);
    return outcome;
  }

  async abort(ref: UploadRef): Promise<void> {
    const upload = this.#bucket.upload(ref);
    if (upload) this.onAbort(upload);
    this.#note("abort", ref, upload ? "aborted" : "gone");
    this.#bucket.end(ref, "abort");
  }

  async *listUploads(bucket: string, prefix: string): AsyncIterable<OpenUpload> {
    this.#note("listUploads", { bucket, key: prefix }, "listed");
    for (const upload of this.#bucket.uploads.values()) {
      const fits = this.profile.listsUploadsByPrefix ? upload.key.startsWith(prefix) : upload.key === prefix;
      if (upload.bucket !== bucket || !fits) continue;
      yield { key: upload.key, uploadId: upload.uploadId, initiated: upload.initiated };
    }
  }

  async *read(ref: ObjectRef, range?: ByteSpan): AsyncIterable<Uint8Array> {
    const object = this.#bucket.object(ref);
    this.#note("read", ref, object ? "found" : "missing");
    if (!object) throw refused("NoSuchKey", "no such key");
    yield object.bytes.slice(range?.first ?? 0, range ? range.last + 1 : undefined);
  }

  #countTaken(ref: UploadRef, part: number, { crc, bytes }: MemoryPart): void {
    const body = `${ref.uploadId} ${part} ${crc} ${bytes.length}`;
    if (this.#taken.has(body)) this.takenTwice.push({ uploadId: ref.uploadId, part, bytes: bytes.length });
    this.#taken.add(body);
  }

  #listed(number: number, part: MemoryPart): ListedPart {
    const crc = this.#keepsCrc ? { ChecksumCRC32: crc32ToBase64(part.crc) } : {};
    return { PartNumber: number, Size: part.bytes.length, ETag: part.etag, LastModified: part.at, ...crc };
  }

  get #keepsCrc(): boolean {
    return this.profile.checksum === "full-object" || this.profile.checksum === "per-part";
  }

  /** Returns the CRC32 of what arrived. */
  #mustArriveWhole(bytes: Uint8Array, sent: number): number {
    const crc = this.#digests.crc32(bytes);
    if (this.profile.checksum === "off" || crc === sent) return crc;
    const message = "the checksum differs";
    throw new StoreError({ trouble: "garbled", code: "BadDigest", message, status: 400 });
  }

  #note(op: string, ref: ObjectRef, outcome: string, more: Partial<AccessEntry> = {}): void {
    this.log.push({ ...more, op, key: ref.key, outcome });
  }
}

async function gather(body: PartBody): Promise<Uint8Array> {
  if (body.kind === "bytes") return body.bytes.slice();
  const pieces: Uint8Array[] = [];
  for await (const piece of body.open()) pieces.push(piece);
  return concat(pieces);
}
