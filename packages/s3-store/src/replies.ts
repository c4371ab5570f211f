/** Replies that only look right are told from replies of S3: a captive portal answers 200 to everything. */
import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { type Head, StoreError } from "@sluice/core";

/** Undefined for an ETag that is missing or empty. */
export function unquoted(etag: string | undefined): string | undefined {
  const bare = etag?.trim().replace(/^(?:W\/)?"(.*)"$/, "$1");
  return bare === "" ? undefined : bare;
}

/** A 2xx that does not hold what it must. Whether the request was carried out is not known. */
export function badReply(what: string, detail: string): StoreError {
  return new StoreError({
    trouble: "unreachable",
    code: "BadReply",
    message: `${what}: the endpoint answered ${detail}`,
    outcomeUnknown: true,
  });
}

export function headOf(reply: HeadObjectCommandOutput, what: string): Head {
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

/** A checksum of checksums (`<base64>-<parts>`) says nothing of the bytes. */
function wholeObjectCrc(crc32: string | undefined, type: string | undefined): string | undefined {
  return type === "COMPOSITE" || crc32 === undefined || crc32.includes("-") ? undefined : crc32;
}

function lowerCased(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value]));
}
