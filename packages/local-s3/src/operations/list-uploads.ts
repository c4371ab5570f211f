/** ListParts and ListMultipartUploads: pages in order, by part number and by key then initiation. */
import { type ChecksumAlgorithm, checksumElement } from "../checksums/algorithms.ts";
import { type Handler, xmlReply } from "../http/exchange.ts";
import { pastKey, pastPrefix } from "../store/listing.ts";
import type { Quirks } from "../quirks.ts";
import type { StoredPart, StoredUpload } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import type { UploadCursor } from "../store/uploads.ts";
import { document, element, parent } from "../xml.ts";
import { storageClassOf } from "./attributes.ts";
import { OWNER } from "./buckets.ts";
import { quoted } from "./conditions.ts";
import { countParameter, isoTime, keyEncoding, laterOf, pageSize } from "./paging.ts";

const INITIATOR = OWNER.replaceAll("Owner>", "Initiator>");

export const listParts: Handler = ({ bucket, key, query }, { store, quirks }) => {
  store.buckets.need(bucket);
  const { upload, ended } = listed(store, bucket, key, query.get("uploadId") ?? "", quirks);
  const encoding = keyEncoding(query);
  const marker = countParameter(query, "part-number-marker") ?? 0;
  const max = pageSize(query, "max-parts");
  const found =
    ended?.filter((part) => part.number > marker) ?? store.contents.parts(upload.id, marker, max + 1);
  const parts = found.slice(0, max);
  const truncated = max > 0 && found.length > max;
  const showChecksums = quirks.noPartChecksumInListParts !== true;
  return xmlReply(
    document(
      "ListPartsResult",
      element("Bucket", bucket),
      element("Key", encoding.encode(key)),
      element("EncodingType", encoding.type),
      element("UploadId", upload.id),
      element("PartNumberMarker", marker),
      element("NextPartNumberMarker", parts.at(-1)?.number ?? 0),
      element("MaxParts", max),
      element("IsTruncated", truncated),
      ...parts.map((part) =>
        parent(
          "Part",
          element("PartNumber", part.number),
          element("LastModified", isoTime(part.modifiedMs)),
          element("ETag", quoted(part.etag)),
          element("Size", part.size),
          ...(showChecksums ? Object.entries(part.checksums) : []).map(([algorithm, value]) =>
            element(checksumElement(algorithm as ChecksumAlgorithm), value),
          ),
        ),
      ),
      INITIATOR,
      OWNER,
      element("StorageClass", storageClassOf(upload.attributes)),
      element("ChecksumAlgorithm", upload.checksum?.algorithm),
      element("ChecksumType", upload.checksum?.type),
    ),
  );
};

/** The upload; `ended`: the parts shown of one that is open no more. Throws NoSuchUpload. */
function listed(
  store: Store,
  bucket: string,
  key: string,
  id: string,
  quirks: Quirks,
): { upload: StoredUpload; ended?: readonly StoredPart[] } {
  const lists = quirks.listEndedUploads === true || quirks.listEndedUploadsEmpty === true;
  const ended = lists ? store.uploads.ended(bucket, key, id) : undefined;
  if (ended === undefined) return { upload: store.uploads.need(bucket, key, id) };
  return { upload: ended.upload, ended: quirks.listEndedUploads === true ? ended.parts : [] };
}

export const listMultipartUploads: Handler = ({ bucket, query }, { store, quirks }) => {
  store.buckets.need(bucket);
  const encoding = keyEncoding(query);
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const keyMarker = query.get("key-marker") ?? "";
  // S3 ignores an upload-id marker that comes without a key marker.
  const idMarker = keyMarker === "" ? "" : (query.get("upload-id-marker") ?? "");
  const max = pageSize(query, "max-uploads");
  const page = store.uploads.page(bucket, {
    prefix: Buffer.from(prefix),
    delimiter: Buffer.from(delimiter),
    start: startOf({ prefix, delimiter, keyMarker, idMarker }),
    max,
  });
  const exactOnly = quirks.listUploadsExactKeyOnly === true && prefix !== "";
  const uploads = page.entries.filter((upload) => !exactOnly || upload.key === prefix);
  const truncated = page.next !== undefined;
  const nextKey = page.lastEntry?.key ?? page.commonPrefixes.at(-1) ?? "";
  return xmlReply(
    document(
      "ListMultipartUploadsResult",
      element("Bucket", bucket),
      element("KeyMarker", encoding.encode(keyMarker)),
      element("UploadIdMarker", idMarker),
      element("NextKeyMarker", truncated ? encoding.encode(nextKey) : ""),
      element("NextUploadIdMarker", truncated ? (page.lastEntry?.id ?? "") : ""),
      element("Prefix", encoding.encode(prefix)),
      element("Delimiter", delimiter === "" ? undefined : encoding.encode(delimiter)),
      element("EncodingType", encoding.type),
      element("MaxUploads", max),
      element("IsTruncated", truncated),
      ...uploads.map((upload) =>
        parent(
          "Upload",
          element("Key", encoding.encode(upload.key)),
          element("UploadId", upload.id),
          INITIATOR,
          OWNER,
          element("StorageClass", storageClassOf(upload.attributes)),
          element("Initiated", isoTime(upload.initiatedMs)),
          element("ChecksumAlgorithm", upload.checksum?.algorithm),
          element("ChecksumType", upload.checksum?.type),
        ),
      ),
      ...page.commonPrefixes.map((shared) =>
        parent("CommonPrefixes", element("Prefix", encoding.encode(shared))),
      ),
    ),
  );
};

interface Start {
  prefix: string;
  delimiter: string;
  keyMarker: string;
  idMarker: string;
}

function startOf({ prefix, delimiter, keyMarker, idMarker }: Start): UploadCursor {
  const first = Buffer.from(prefix);
  const marker = Buffer.from(keyMarker);
  if (keyMarker === "") return { key: first, id: "" };
  if (idMarker !== "")
    return Buffer.compare(marker, first) < 0 ? { key: first, id: "" } : { key: marker, id: idMarker };
  const isPrefix = delimiter !== "" && keyMarker.endsWith(delimiter);
  return { key: laterOf(first, isPrefix ? pastPrefix(marker) : pastKey(marker)), id: "" };
}
