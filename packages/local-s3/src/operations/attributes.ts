/** The attributes of an object from its Put or Create: stored as reply headers and returned unchanged. */
import type { IncomingHttpHeaders } from "node:http";
import { S3Error } from "../errors.ts";
import { header } from "../http/exchange.ts";
import { LIMITS } from "../limits.ts";
import type { Quirks } from "../quirks.ts";
import type { Attributes } from "../store/records.ts";

const KEPT = ["cache-control", "content-disposition", "content-language", "expires"] as const;
const STORAGE_CLASSES = new Set([
  "STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER",
  "GLACIER_IR",
  "DEEP_ARCHIVE",
]);
/** Features of S3 that this endpoint lacks: refused, because ignoring them would give wrong results. */
const UNSUPPORTED =
  /^x-amz-(?:copy-source|server-side-encryption-(?:customer|aws-kms|context|bucket)|object-lock|website-redirect|write-offset)/;

/** Throws NotImplemented, InvalidStorageClass, InvalidTag or MetadataTooLarge. */
export function attributesOf(headers: IncomingHttpHeaders, quirks: Quirks): Attributes {
  const unsupported = Object.keys(headers).find((name) => UNSUPPORTED.test(name));
  if (unsupported !== undefined) throw notImplemented(unsupported);
  const kept: Record<string, string> = {
    "content-type": header(headers, "content-type") ?? "binary/octet-stream",
  };
  for (const name of KEPT) {
    const value = header(headers, name);
    if (value !== undefined) kept[name] = value;
  }
  const encoding = contentEncoding(header(headers, "content-encoding"));
  if (encoding !== undefined) kept["content-encoding"] = encoding;
  const storageClass = header(headers, "x-amz-storage-class") ?? "STANDARD";
  if (!STORAGE_CLASSES.has(storageClass)) {
    throw new S3Error("InvalidStorageClass", "The storage class you specified is not valid", {
      fields: { StorageClassRequested: storageClass },
    });
  }
  if (storageClass !== "STANDARD") kept["x-amz-storage-class"] = storageClass;
  const sse = header(headers, "x-amz-server-side-encryption");
  // Accepted and echoed; what encrypts the disk is the operator's business.
  if (sse !== undefined && sse !== "AES256") throw notImplemented(`x-amz-server-side-encryption: ${sse}`);
  if (sse !== undefined) kept["x-amz-server-side-encryption"] = sse;
  if (quirks.noMetadata !== true) Object.assign(kept, userMetadata(headers));
  const tagging = header(headers, "x-amz-tagging");
  if (tagging !== undefined) parseTagging(tagging);
  return { headers: kept, ...(tagging !== undefined && { tagging }) };
}

const notImplemented = (what: string): S3Error =>
  new S3Error(
    "NotImplemented",
    `A header you provided implies functionality that is not implemented: ${what}`,
  );

/** aws-chunked describes the transfer of the body, not its content. */
function contentEncoding(value: string | undefined): string | undefined {
  const codings = (value ?? "").split(",").map((coding) => coding.trim());
  return codings.filter((coding) => coding !== "" && coding !== "aws-chunked").join(",") || undefined;
}

function userMetadata(headers: IncomingHttpHeaders): Record<string, string> {
  const found = Object.keys(headers).filter((name) => name.startsWith("x-amz-meta-"));
  const metadata = Object.fromEntries(found.map((name) => [name, header(headers, name) ?? ""]));
  const size = Object.entries(metadata).reduce(
    (sum, [name, value]) => sum + name.length - "x-amz-meta-".length + value.length,
    0,
  );
  if (size > LIMITS.maxMetadataBytes) {
    throw new S3Error("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", {
      fields: { Size: String(size), MaxSizeAllowed: String(LIMITS.maxMetadataBytes) },
    });
  }
  return metadata;
}

/** Tags in order. Throws InvalidTag. */
export function parseTagging(tagging: string): readonly (readonly [string, string])[] {
  const tags = [...new URLSearchParams(tagging)];
  const keys = new Set(tags.map(([key]) => key));
  if (
    tags.length > 10 ||
    keys.size < tags.length ||
    tags.some(([key, value]) => key.length > 128 || value.length > 256)
  ) {
    throw new S3Error(
      "InvalidTag",
      "The header 'x-amz-tagging' must hold at most 10 distinct tags of at most 128 and 256 characters.",
    );
  }
  return tags;
}

/** The server-side-encryption header that replies about an object or upload repeat. */
export function sseHeaders({ headers }: Attributes): Record<string, string> {
  const sse = headers["x-amz-server-side-encryption"];
  return sse === undefined ? {} : { "x-amz-server-side-encryption": sse };
}

export const storageClassOf = ({ headers }: Attributes): string =>
  headers["x-amz-storage-class"] ?? "STANDARD";
