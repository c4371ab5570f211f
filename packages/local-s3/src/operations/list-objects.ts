/** ListObjectsV2 and its elder ListObjects: the same pages, with a token or with a marker. */
import { CHECKSUM_ALGORITHMS } from "../checksums/algorithms.ts";
import { S3Error } from "../errors.ts";
import { type Handler, type S3Request, xmlReply } from "../http/exchange.ts";
import { type Listed, pastKey, pastPrefix } from "../store/listing.ts";
import type { StoredObject } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import { document, element, parent } from "../xml.ts";
import { storageClassOf } from "./attributes.ts";
import { OWNER } from "./buckets.ts";
import { quoted } from "./conditions.ts";
import { isoTime, type KeyEncoding, keyEncoding, laterOf, pageSize } from "./paging.ts";

export const listObjectsV2: Handler = (request, { store }) => {
  const { query } = request;
  const token = query.get("continuation-token");
  const startAfter = query.get("start-after");
  const from =
    token === undefined
      ? startAfter === undefined
        ? undefined
        : pastKey(Buffer.from(startAfter))
      : decodeToken(token);
  const { page, encoding, common } = list(request, store, from);
  return xmlReply(
    document(
      "ListBucketResult",
      ...common,
      element("StartAfter", startAfter === undefined ? undefined : encoding.encode(startAfter)),
      element("KeyCount", page.entries.length + page.commonPrefixes.length),
      element("ContinuationToken", token),
      element("NextContinuationToken", page.next?.toString("base64url")),
      ...entries(page, encoding, query.get("fetch-owner") === "true"),
    ),
  );
};

export const listObjects: Handler = (request, { store }) => {
  const { query } = request;
  const marker = query.get("marker") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  // A marker that is a common prefix was given as NextMarker: everything below it has been listed.
  const isPrefix = delimiter !== "" && marker.endsWith(delimiter);
  const from =
    marker === "" ? undefined : isPrefix ? pastPrefix(Buffer.from(marker)) : pastKey(Buffer.from(marker));
  const { page, encoding, common } = list(request, store, from);
  const last = page.lastEntry?.key ?? page.commonPrefixes.at(-1);
  return xmlReply(
    document(
      "ListBucketResult",
      ...common,
      element("Marker", encoding.encode(marker)),
      element(
        "NextMarker",
        page.next === undefined || last === undefined || delimiter === "" ? undefined : encoding.encode(last),
      ),
      ...entries(page, encoding, true),
    ),
  );
};

interface ObjectPage {
  page: Listed<StoredObject, Buffer>;
  encoding: KeyEncoding;
  /** The elements both versions share. */
  common: readonly string[];
}

function list({ bucket, query }: S3Request, store: Store, from: Buffer | undefined): ObjectPage {
  store.buckets.need(bucket);
  const encoding = keyEncoding(query);
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const max = pageSize(query, "max-keys");
  const prefixBytes = Buffer.from(prefix);
  const page = store.objects.page(bucket, {
    prefix: prefixBytes,
    delimiter: Buffer.from(delimiter),
    start: from === undefined ? prefixBytes : laterOf(prefixBytes, from),
    max,
  });
  const common = [
    element("Name", bucket),
    element("Prefix", encoding.encode(prefix)),
    element("Delimiter", delimiter === "" ? undefined : encoding.encode(delimiter)),
    element("MaxKeys", max),
    element("EncodingType", encoding.type),
    element("IsTruncated", page.next !== undefined),
  ];
  return { page, encoding, common };
}

function entries(
  page: Listed<StoredObject, Buffer>,
  encoding: KeyEncoding,
  withOwner: boolean,
): readonly string[] {
  const contents = page.entries.map((object) =>
    parent(
      "Contents",
      element("Key", encoding.encode(object.key)),
      element("LastModified", isoTime(object.modifiedMs)),
      element("ETag", quoted(object.etag)),
      ...CHECKSUM_ALGORITHMS.filter((algorithm) => object.checksums[algorithm] !== undefined).map(
        (algorithm) => element("ChecksumAlgorithm", algorithm),
      ),
      element("ChecksumType", object.checksumType),
      element("Size", object.size),
      element("StorageClass", storageClassOf(object.attributes)),
      withOwner ? OWNER : "",
    ),
  );
  return [
    ...contents,
    ...page.commonPrefixes.map((prefix) =>
      parent("CommonPrefixes", element("Prefix", encoding.encode(prefix))),
    ),
  ];
}

function decodeToken(token: string): Buffer {
  const bytes = Buffer.from(token, "base64url");
  if (bytes.length === 0 || bytes.toString("base64url") !== token) {
    throw new S3Error("InvalidArgument", "The continuation token provided is incorrect", {
      fields: { ArgumentName: "continuation-token" },
    });
  }
  return bytes;
}
