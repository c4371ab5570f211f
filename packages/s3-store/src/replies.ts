/**
 * The content that a reply must have before it is trusted: a captive portal answers 200 to everything, and some stores
 * leave out what S3 documents. What only looks like a reply of S3 is an error of unknown outcome, never a success.
 */
import type {
  HeadObjectCommandOutput,
  ListMultipartUploadsCommandOutput,
  ListObjectsV2CommandOutput,
  ListPartsCommandOutput,
} from "@aws-sdk/client-s3";
import { type Head, type ListedPart, type ObjectRef, type OpenUpload, StoreError } from "@sluice/core";
import type { BodyDigests } from "./checksums.ts";
import type { ReplyHeaders } from "./connection.ts";
import { escapeKey } from "./transport.ts";

/** Undefined if the ETag is missing or empty. */
export function unquoted(etag: string | undefined): string | undefined {
  const bare = etag?.trim().replace(/^(?:W\/)?"(.*)"$/, "$1");
  return bare === "" ? undefined : bare;
}

/** A 2xx without the required content. Whether the request was carried out is unknown. */
export function badReply(what: string, detail: string): StoreError {
  return new StoreError({
    trouble: "unreachable",
    code: "BadReply",
    message: `${what}: the endpoint answered ${detail}`,
    outcomeUnknown: true,
  });
}

export function pagingStuck(what: string, marker: string): StoreError {
  return new StoreError({
    trouble: "rejected",
    code: "PagingStuck",
    message: `${what}: the store's pages do not advance (marker ${marker})`,
  });
}

/**
 * The ETag, and whether the reply proves the bytes: by the checksum it repeats, or by an ETag that is their MD5. A
 * reply that disproves them is an error: they must be sent again.
 */
export function storedBody(
  { etagIsMd5 }: { etagIsMd5: boolean },
  what: string,
  headers: ReplyHeaders,
  sent: BodyDigests,
): { etag: string; verified: boolean } {
  const etag = unquoted(headers["etag"]);
  if (etag === undefined) throw badReply(what, "without an ETag");
  const crc32 = headers["x-amz-checksum-crc32"];
  const byCrc = crc32 !== undefined && sent.crc32 !== undefined ? crc32 === sent.crc32 : undefined;
  const byMd5 = etagIsMd5 && sent.md5 !== undefined ? etag === hexOf(sent.md5) : undefined;
  if (byCrc === false || byMd5 === false) {
    const message = `${what}: the store confirms different bytes than were sent`;
    throw new StoreError({ trouble: "garbled", code: "ReplyMismatch", message });
  }
  return { etag, verified: byCrc === true || byMd5 === true };
}

function hexOf(base64: string): string {
  return Buffer.from(base64, "base64").toString("hex");
}

export function foundObject(reply: HeadObjectCommandOutput, what: string): Head {
  const etag = unquoted(reply.ETag);
  if (reply.ContentLength === undefined || etag === undefined) throw badReply(what, "no length or no ETag");
  const crc32 = wholeObjectCrc(reply.ChecksumCRC32, reply.ChecksumType);
  return {
    kind: "found",
    object: {
      size: reply.ContentLength,
      etag,
      ...(crc32 !== undefined && { crc32 }),
      metadata: lowerCased(reply.Metadata ?? {}),
      ...(reply.LastModified !== undefined && { lastModified: reply.LastModified.toISOString() }),
    },
  };
}

/** A page that happens to be well-formed reads like a listing of nothing. */
export function listedObjects<R extends ListObjectsV2CommandOutput>(reply: R, what: string): R {
  const { Name, IsTruncated, KeyCount, Contents } = reply;
  if (Name === undefined && IsTruncated === undefined && KeyCount === undefined && Contents === undefined)
    throw badReply(what, "no list of objects");
  return reply;
}

export function listedUploads<R extends ListMultipartUploadsCommandOutput>(reply: R, what: string): R {
  if (reply.Bucket === undefined && reply.IsTruncated === undefined)
    throw badReply(what, "no list of uploads");
  return reply;
}

/** A checksum of checksums (`<base64>-<parts>`) says nothing about the bytes. */
function wholeObjectCrc(crc32: string | undefined, type: string | undefined): string | undefined {
  return type === "COMPOSITE" || crc32 === undefined || crc32.includes("-") ? undefined : crc32;
}

function lowerCased(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value]));
}

/** S3 reports the day on which a lifecycle rule will abort the upload. */
export function abortsAt(date: Date | undefined): { abortsAt?: string } {
  return date === undefined || Number.isNaN(date.getTime()) ? {} : { abortsAt: date.toISOString() };
}

export function listedPart(
  part: NonNullable<ListPartsCommandOutput["Parts"]>[number],
  what: string,
): ListedPart {
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

export function openUpload(
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

/** In the form of the header: URL-encoded, except the slashes. */
export function copySource({ bucket, key }: ObjectRef): string {
  return `${bucket}/${escapeKey(key)}`;
}

/** A key that was not encoded is used as it is. */
export function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll("+", "%20"));
  } catch (error) {
    if (error instanceof URIError) return key;
    throw error;
  }
}
