/** Listings are read to their end, page by page; a store whose pages go in circles is found out, not followed. */
import {
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListPartsCommand,
  type ListPartsCommandOutput,
} from "@aws-sdk/client-s3";
import {
  LIMITS,
  type ListedPart,
  type Listing,
  type OpenUpload,
  StoreError,
  type UploadRef,
} from "@sluice/core";
import type { CallOptions, S3Caller } from "./caller.ts";
import { badReply, unquoted } from "./replies.ts";
import { control, type S3Context, uploadFields } from "./requests.ts";

export async function listParts({ caller, checksums }: S3Context, ref: UploadRef): Promise<Listing> {
  const call = control("ListParts", ref);
  const parts: ListedPart[] = [];
  for (let marker: string | undefined; ;) {
    const input = {
      ...uploadFields(ref),
      ...(marker !== undefined && { PartNumberMarker: marker }),
    };
    const page = await caller.call<ListPartsCommandOutput | "gone">(
      call,
      async (options) => await caller.client.send(new ListPartsCommand(input), options),
      (_failure, answer) => (answer === "gone" ? "gone" : undefined),
    );
    if (page === "gone") {
      checksums.forget(ref.uploadId);
      return { kind: "gone" };
    }
    if (page.UploadId !== ref.uploadId) throw badReply(call.what, "no list of this upload's parts");
    checksums.learnListed(ref.uploadId, page.ChecksumAlgorithm, page.ChecksumType);
    for (const part of page.Parts ?? []) parts.push(listedPart(part, call.what));
    if (page.IsTruncated !== true) return { kind: "alive", parts, ...abortsAt(page.AbortDate) };
    const next = page.NextPartNumberMarker ?? String(parts.at(-1)?.PartNumber ?? 0);
    if (Number(next) <= Number(marker ?? 0)) throw circling(call.what, next);
    marker = next;
  }
}

/** S3 names the day on which a lifecycle rule will abort the upload. */
export function abortsAt(date: Date | undefined): { abortsAt?: string } {
  return date === undefined || Number.isNaN(date.getTime()) ? {} : { abortsAt: date.toISOString() };
}

function listedPart(part: NonNullable<ListPartsCommandOutput["Parts"]>[number], what: string): ListedPart {
  const { PartNumber, Size, ChecksumCRC32, LastModified } = part;
  const ETag = unquoted(part.ETag);
  if (PartNumber === undefined || Size === undefined || ETag === undefined) {
    throw badReply(what, "a part without number, size or ETag");
  }
  return {
    PartNumber,
    Size,
    ETag,
    ...(ChecksumCRC32 !== undefined && { ChecksumCRC32 }),
    ...(LastModified !== undefined && { LastModified: LastModified.toISOString() }),
  };
}

/** A store that takes a prefix for a whole key is asked that way and for everything; what it says is filtered here. */
export async function* listUploads(
  { caller, profile }: S3Context,
  bucket: string,
  prefix: string,
): AsyncIterable<OpenUpload> {
  const byPrefix = profile.listsUploadsByPrefix;
  const seen = new Set<string>();
  for (const asked of byPrefix || prefix === "" ? [prefix] : [prefix, ""]) {
    for await (const upload of uploadPages(caller, bucket, asked)) {
      const id = `${upload.uploadId} ${upload.key}`;
      if (!upload.key.startsWith(prefix) || seen.has(id)) continue;
      if (!byPrefix) seen.add(id);
      yield upload;
    }
  }
}

async function* uploadPages(caller: S3Caller, bucket: string, prefix: string): AsyncIterable<OpenUpload> {
  const what = `ListMultipartUploads ${prefix}`;
  const asked = { request: "ListMultipartUploads" as const };
  const call: CallOptions = { what, bucket, deadlineMs: LIMITS.storeControlMs, asked };
  const markers = new Set<string>();
  let encoding: { EncodingType?: "url" } = { EncodingType: "url" };
  for (let marker: { KeyMarker?: string; UploadIdMarker?: string } = {}; ;) {
    const input = { Bucket: bucket, Prefix: prefix, ...encoding, ...marker };
    const page = await caller.call(call, async (options) =>
      caller.client.send(new ListMultipartUploadsCommand(input), options),
    );
    if (page.Bucket === undefined && page.IsTruncated === undefined)
      throw badReply(what, "no list of uploads");
    if (encoding.EncodingType !== undefined && page.EncodingType === undefined && page.Uploads?.length) {
      // Some encode without saying so (Ceph 16), some do not encode (VersityGW): unencoded keys are asked for instead.
      encoding = {};
      continue;
    }
    const decode = page.EncodingType === "url" ? decodeKey : (key: string) => key;
    for (const upload of page.Uploads ?? []) yield openUpload(upload, decode, what);
    if (page.IsTruncated !== true) return;
    const KeyMarker = decode(page.NextKeyMarker ?? "");
    const UploadIdMarker = page.NextUploadIdMarker ?? "";
    const id = `${UploadIdMarker} ${KeyMarker}`;
    if (markers.has(id) || (KeyMarker === "" && UploadIdMarker === "")) throw circling(what, id);
    markers.add(id);
    marker = { KeyMarker, ...(UploadIdMarker !== "" && { UploadIdMarker }) };
  }
}

function openUpload(
  upload: NonNullable<ListMultipartUploadsCommandOutput["Uploads"]>[number],
  decode: (key: string) => string,
  what: string,
): OpenUpload {
  const { Key, UploadId, Initiated } = upload;
  if (Key === undefined || UploadId === undefined) throw badReply(what, "an upload without key or id");
  return {
    key: decode(Key),
    uploadId: UploadId,
    ...(Initiated !== undefined && { initiated: Initiated.toISOString() }),
  };
}

/** A key that was not encoded after all is taken as it is. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll("+", "%20"));
  } catch (error) {
    if (error instanceof URIError) return key;
    throw error;
  }
}

function circling(what: string, marker: string): StoreError {
  return new StoreError({
    trouble: "rejected",
    code: "PagingStuck",
    message: `${what}: the store's pages do not advance (marker ${marker})`,
  });
}
