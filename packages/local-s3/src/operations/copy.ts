/** UploadPartCopy and CopyObject: bytes are copied from one object to a part or to another object, inside the store. */
import type { IncomingHttpHeaders } from "node:http";
import {
  type ChecksumAlgorithm,
  checksumElement,
  type ChecksumValues,
  CHECKSUM_ALGORITHMS,
  isAlgorithm,
} from "../checksums/algorithms.ts";
import { S3Error } from "../errors.ts";
import { type Handler, header, xmlReply } from "../http/exchange.ts";
import { newContentId } from "../store/ids.ts";
import type { Attributes, StoredObject } from "../store/records.ts";
import { document, element } from "../xml.ts";
import { attributesOf, sseHeaders, storageClassOf } from "./attributes.ts";
import { isConditional, quoted, writeGuard } from "./conditions.ts";
import { checkSize, copyBytes, copyRange, copySource } from "./copy-source.ts";
import { partNumberOf } from "./multipart.ts";
import { isoTime } from "./paging.ts";
import { randomEtag, versionHeader } from "./put-object.ts";
import type { Quirks } from "../quirks.ts";

export const uploadPartCopy: Handler = async (request, { store, quirks, nowMs }) => {
  const { bucket, key, query, headers } = request;
  if (quirks.noCopy === true)
    throw new S3Error(
      "NotImplemented",
      "A header you provided implies functionality that is not implemented",
    );
  const uploadId = query.get("uploadId") ?? "";
  const number = partNumberOf(request);
  store.buckets.need(bucket);
  const upload = store.uploads.need(bucket, key, uploadId);
  const source = copySource({ ...request, headers: askedOf(headers, quirks) }, store);
  const range = copyRange(headers, source);
  const copied = await copyBytes(request, store, source, range, {
    name: `${uploadId}.${number}.${randomEtag()}`,
    alsoCompute: upload.checksum?.algorithm,
    md5: quirks.etagNotMd5 !== true,
  });
  const etag = quirks.etagNotMd5 === true ? randomEtag() : (copied.md5 ?? randomEtag());
  const { size, checksums } = copied;
  const modifiedMs = nowMs();
  try {
    await store.uploads.putPart(
      bucket,
      key,
      uploadId,
      { number, etag, size, modifiedMs, checksums },
      copied.blob,
    );
  } catch (error) {
    await copied.discard();
    throw error;
  }
  const shown = quirks.noPartChecksumInCopy === true ? {} : checksums;
  return xmlReply(
    document("CopyPartResult", ...resultOf(etag, modifiedMs, shown)),
    sseHeaders(upload.attributes),
  );
};

function resultOf(etag: string, modifiedMs: number, checksums: ChecksumValues): string[] {
  return [
    element("LastModified", isoTime(modifiedMs)),
    element("ETag", quoted(etag)),
    ...Object.entries(checksums).map(([algorithm, value]) =>
      element(checksumElement(algorithm as ChecksumAlgorithm), value),
    ),
  ];
}

/** The conditions as this store understands them. */
function askedOf(headers: IncomingHttpHeaders, quirks: Quirks): IncomingHttpHeaders {
  if (quirks.ignoreCopyConditions !== true) return headers;
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !name.startsWith("x-amz-copy-source-if-")),
  );
}

export const copyObject: Handler = async (request, { store, quirks, nowMs }) => {
  const { bucket, key, headers } = request;
  store.buckets.need(bucket);
  const source = copySource(request, store);
  checkSize({ start: 0, end: source.size });
  const attributes = copiedAttributes(headers, source, quirks);
  if (isSame(store.objects.find(bucket, key), source)) refuseIdle(headers, source, attributes);
  const conditional = isConditional(headers) && quirks.ignoreConditionalPut !== true;
  const guard = conditional ? writeGuard(headers, key) : () => {};
  guard(store.objects.find(bucket, key));

  const content = newContentId(nowMs());
  const algorithm = checksumOf(headers, source);
  const copied = await copyBytes(
    request,
    store,
    source,
    { start: 0, end: source.size },
    {
      name: `${content}.1.body`,
      alsoCompute: algorithm,
      md5: quirks.etagNotMd5 !== true,
    },
  );
  const { size, checksums, blob } = copied;
  const etag = quirks.etagNotMd5 === true ? randomEtag() : (copied.md5 ?? randomEtag());
  const modifiedMs = nowMs();
  const checksumType = algorithm === undefined ? {} : { checksumType: "FULL_OBJECT" as const };
  const object = { key, content, etag, size, modifiedMs, attributes, checksums, ...checksumType };
  try {
    await store.objects.put(bucket, object, { number: 1, etag, size, modifiedMs, checksums }, blob, guard);
  } catch (error) {
    await copied.discard();
    throw error;
  }
  return xmlReply(
    document(
      "CopyObjectResult",
      ...resultOf(etag, modifiedMs, checksums),
      element("ChecksumType", checksumType.checksumType),
    ),
    { ...sseHeaders(attributes), ...versionHeader(store, bucket, key) },
  );
};

/** COPY keeps the source's attributes, REPLACE takes those of the request; the storage class is never copied. */
function copiedAttributes(headers: IncomingHttpHeaders, source: StoredObject, quirks: Quirks): Attributes {
  const own = Object.fromEntries(
    Object.entries(headers).filter(([name]) => !name.startsWith("x-amz-copy-source")),
  );
  const asked = attributesOf(own, quirks);
  const described = directive(headers, "x-amz-metadata-directive") === "REPLACE";
  const tagged = directive(headers, "x-amz-tagging-directive") === "REPLACE";
  const kept = described ? asked.headers : withOwnPlace(source.attributes.headers, asked.headers);
  const tagging = tagged ? asked.tagging : source.attributes.tagging;
  return { headers: kept, ...(tagging !== undefined && { tagging }) };
}

const PLACE = ["x-amz-storage-class", "x-amz-server-side-encryption"];

function withOwnPlace(
  source: Readonly<Record<string, string>>,
  asked: Readonly<Record<string, string>>,
): Record<string, string> {
  const kept = Object.entries(source).filter(([name]) => !PLACE.includes(name));
  return Object.fromEntries([...kept, ...Object.entries(asked).filter(([name]) => PLACE.includes(name))]);
}

function directive(headers: IncomingHttpHeaders, name: string): "COPY" | "REPLACE" {
  const value = header(headers, name) ?? "COPY";
  if (value === "COPY" || value === "REPLACE") return value;
  throw new S3Error("InvalidArgument", `Unknown ${name.slice("x-amz-".length).replace("-", " ")}.`, {
    fields: { ArgumentName: name, ArgumentValue: value },
  });
}

const isSame = (there: StoredObject | undefined, source: StoredObject): boolean =>
  there?.content === source.content;

function refuseIdle(headers: IncomingHttpHeaders, source: StoredObject, attributes: Attributes): void {
  const replaces = directive(headers, "x-amz-metadata-directive") === "REPLACE";
  const moves =
    storageClassOf(attributes) !== storageClassOf(source.attributes) ||
    header(headers, "x-amz-server-side-encryption") !== undefined;
  if (replaces || moves) return;
  throw new S3Error(
    "InvalidRequest",
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
}

/** As on AWS: the requested algorithm, else the source's; a checksum of checksums becomes one of the whole object. */
function checksumOf(headers: IncomingHttpHeaders, source: StoredObject): ChecksumAlgorithm | undefined {
  const asked = header(headers, "x-amz-checksum-algorithm")?.toUpperCase();
  if (asked !== undefined && !isAlgorithm(asked)) {
    throw new S3Error("InvalidRequest", `Checksum algorithm provided is unsupported: ${asked}`);
  }
  return asked ?? CHECKSUM_ALGORITHMS.find((name) => source.checksums[name] !== undefined);
}
