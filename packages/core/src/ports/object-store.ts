/**
 * S3 as the core needs it. Expected outcomes are return values; everything else is a StoreError that says whether the
 * worker should wait and whether the request may have been carried out anyway. An implementation never retries
 * UploadPart, UploadPartCopy or Complete itself: a part with an unknown outcome is looked up first.
 */
export interface ObjectRef {
  bucket: string;
  key: string;
}

export interface UploadRef extends ObjectRef {
  uploadId: string;
}

export const CHECKSUM_MODES = ["full-object", "per-part", "md5", "off"] as const;
export type ChecksumMode = (typeof CHECKSUM_MODES)[number];

/** `refused_always`: even the existing ETag is answered with 412. `ignored`: any ETag is accepted. */
export const IF_MATCH_ON_COMPLETE = ["honoured", "refused_always", "ignored"] as const;
export type IfMatchOnComplete = (typeof IF_MATCH_ON_COMPLETE)[number];

/** The capabilities of the store, from the probe or a profile. Unknown ones have the cautious value. */
export interface StoreProfile {
  checksum: ChecksumMode;
  unsignedPayload: boolean;
  /** Complete accepts part checksums in its list. */
  checksumsInComplete: boolean;
  /** A repeated Complete is answered with 200 again. */
  repeatComplete: boolean;
  /** Complete supports If-None-Match. */
  conditionalComplete: boolean;
  ifMatchOnComplete: IfMatchOnComplete;
  conditionalPut: boolean;
  /** ListParts no longer lists an upload that was completed or aborted. If it still does, it proves nothing. */
  listPartsEndsWithComplete: boolean;
  listPartsEndsWithAbort: boolean;
  /** A part's ETag is the MD5 of its bytes. */
  etagIsMd5: boolean;
  /** ListMultipartUploads accepts a prefix, not only an exact key. */
  listsUploadsByPrefix: boolean;
  /** HeadObject of a missing key answers 404, not 403. */
  headMissingIs404: boolean;
  unequalParts: boolean;
  /** UploadPartCopy copies a range of an object, and only if the object has the given ETag. */
  copiesRanges: boolean;
  maxParts: number;
  maxObjectBytes: number;
  /** What is known to become of a part that is sent again under its number: it is kept for good, or billed for long. */
  replacedParts?: "kept" | "billed";
  /** The store itself aborts an upload at this age; absent: never, or unknown. */
  uploadAgeDays?: number;
}

/** Capabilities of the profile that turned out to be wrong during uploads. */
export type Demotion = Partial<
  Pick<StoreProfile, "conditionalComplete" | "ifMatchOnComplete" | "conditionalPut">
>;

export interface StoredObject {
  size: number;
  /** Without quotes. */
  etag: string;
  /** Base64; only if the store has one for the whole object. */
  crc32?: string;
  /** User metadata, lower-case names. */
  metadata: Readonly<Record<string, string>>;
  lastModified?: string;
}

/** `unknown`: the store answers 403 whether or not the object exists. */
export type Head = { kind: "found"; object: StoredObject } | { kind: "missing" } | { kind: "unknown" };

export interface ListedPart {
  PartNumber: number;
  Size: number;
  ETag: string;
  ChecksumCRC32?: string;
  LastModified?: string;
}

/** `abortsAt` (ISO): when the store will abort the upload; absent if it will not, or does not report it. */
export type Listing = { kind: "alive"; parts: ListedPart[]; abortsAt?: string } | { kind: "gone" };

export interface CreatedUpload {
  uploadId: string;
  /** As in `Listing`. */
  abortsAt?: string;
}

export interface OpenUpload {
  key: string;
  uploadId: string;
  /** ISO; absent on stores that do not report it. */
  initiated?: string;
}

export interface ObjectHeaders {
  contentType: string;
  /** User metadata: `sluice-stream-id`, `sluice-file` and what SLUICE_S3_METADATA adds. */
  metadata: Readonly<Record<string, string>>;
}

/** Set on a write that must not replace another program's object. */
export type Condition = { ifNoneMatch: true } | { ifMatch: string } | undefined;

export interface PutRequest extends ObjectHeaders {
  body: Uint8Array;
  /** CRC32 of the body. */
  crc: number;
  condition: Condition;
}

export type PutOutcome =
  /** `verified`: the store confirmed the checksum in its reply, so HeadObject is not needed. */
  { kind: "stored"; etag: string; verified: boolean } | { kind: "conflict" };

/** Bytes of one part: in memory, or a file range opened again for each attempt. */
export type PartBody =
  | { kind: "bytes"; bytes: Uint8Array }
  | { kind: "range"; bytes: number; open(): AsyncIterable<Uint8Array> };

export interface PartRequest {
  body: PartBody;
  crc: number;
  signal?: AbortSignal;
}

export type PartOutcome = { kind: "stored"; etag: string } | { kind: "gone" };

/** Copies a range of an existing object to a part inside the store. */
export interface CopyRequest {
  source: ObjectRef;
  /** ETag of the source: nothing is copied from another object. */
  ifMatch: string;
  range: ByteSpan;
  signal?: AbortSignal;
}

export type CopyOutcome =
  /** `crc32` (base64): the store's own CRC32 of the copied bytes, if it reports one. */
  | { kind: "copied"; etag: string; crc32?: string }
  /** The source no longer exists, or is another object; a store that calls an upload a key may mean the upload. */
  | { kind: "source_changed" }
  /** The store does not copy this: the bytes must be sent. */
  | { kind: "refused"; detail: string }
  | { kind: "gone" };

export interface CompleteRequest {
  parts: readonly { PartNumber: number; ETag: string; ChecksumCRC32?: string }[];
  size: number;
  /** CRC32 of the whole object. */
  crc: number | undefined;
  condition: Condition;
}

export type CompleteOutcome =
  /** `etag` absent: a 2xx without one, which proves nothing (HeadObject decides). */
  | { kind: "completed"; etag: string | undefined; version?: string }
  /** A part does not exist with the given ETag, or is refused: repair, then complete again. */
  | { kind: "invalid_part"; detail: string }
  | { kind: "gone" }
  /** The condition was not met, or is not supported: it may be our own earlier success (HeadObject decides). */
  | { kind: "conflict" };

/** As in HTTP: `last` is the last byte, not the one after it. */
export interface ByteSpan {
  first: number;
  last: number;
}

export interface ObjectStore {
  /** How far the store's clock is ahead of our clock, according to its last answers; small differences count as 0. */
  readonly clockSkewMs: number;
  readonly profile: StoreProfile;
  /** Changes the profile for every stream from now on, and reports it. */
  demote(change: Demotion, because: string): Promise<void>;
  head(ref: ObjectRef): Promise<Head>;
  put(ref: ObjectRef, request: PutRequest): Promise<PutOutcome>;
  createUpload(ref: ObjectRef, headers: ObjectHeaders): Promise<CreatedUpload>;
  uploadPart(ref: UploadRef, partNumber: number, request: PartRequest): Promise<PartOutcome>;
  copyPart(ref: UploadRef, partNumber: number, request: CopyRequest): Promise<CopyOutcome>;
  /** All pages. */
  listParts(ref: UploadRef): Promise<Listing>;
  complete(ref: UploadRef, request: CompleteRequest): Promise<CompleteOutcome>;
  /** Repeats until the upload no longer exists; an upload that does not exist is success. */
  abort(ref: UploadRef): Promise<void>;
  /** Open uploads whose key starts with `prefix`, all pages. */
  listUploads(bucket: string, prefix: string): AsyncIterable<OpenUpload>;
  /** The whole object, or the bytes from `first` to `last` inclusive; for deep verification and reports. */
  read(ref: ObjectRef, range?: ByteSpan): AsyncIterable<Uint8Array>;
}
