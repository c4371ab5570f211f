/** CompleteMultipartUpload: moves no byte, is one transaction, and repeats its answer when called again. */
import {
  checksumElement,
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  type ChecksumType,
  type ChecksumValues,
} from "../checksums/algorithms.ts";
import { declaredChecksums } from "../body/declared.ts";
import { S3Error } from "../errors.ts";
import {
  type Endpoint,
  type Handler,
  header,
  type Reply,
  type S3Request,
  xmlReply,
} from "../http/exchange.ts";
import { LIMITS } from "../limits.ts";
import type { Quirks } from "../quirks.ts";
import type { WriteGuard } from "../store/objects.ts";
import type { StoredObject } from "../store/records.ts";
import { childText, children, document, element, malformedXml, parseDocument, type XmlNode } from "../xml.ts";
import { sseHeaders } from "./attributes.ts";
import { type CompleteRequest, decideComplete, type ListedPart } from "./complete-decision.ts";
import { quoted, unquoted, writeGuard } from "./conditions.ts";
import { randomEtag, versionHeader } from "./put-object.ts";
import { readXml } from "./xml-body.ts";

export const completeMultipartUpload: Handler = async (request, { store, quirks, scheme, nowMs }) => {
  const { bucket, key, query } = request;
  const uploadId = query.get("uploadId") ?? "";
  store.buckets.need(bucket);
  const wanted = await parseRequest(request);
  const done = store.objects.find(bucket, key);
  if (done?.content === uploadId && quirks.nonIdempotentComplete !== true)
    return completed(request, { scheme, store }, done);
  const object = await store.uploads.complete(
    bucket,
    key,
    uploadId,
    (upload, parts) => {
      const {
        size,
        etag,
        checksums,
        checksumType,
        dropped,
        parts: used,
      } = decideComplete(wanted, upload, parts, quirks);
      const object: StoredObject = {
        key,
        content: uploadId,
        etag: quirks.etagNotMd5 === true ? `${randomEtag()}-${used.length}` : etag,
        size,
        modifiedMs: nowMs(),
        attributes: upload.attributes,
        checksums,
        ...(checksumType !== undefined && { checksumType }),
      };
      return { object, dropped };
    },
    guardOf(request, quirks),
  );
  return completed(
    request,
    { scheme, store },
    object,
    quirks.emptyCompleteEtag === true ? "" : quoted(object.etag),
  );
};

function guardOf({ headers, key }: S3Request, quirks: Quirks): WriteGuard {
  if (quirks.ignoreConditionalComplete === true) return () => {};
  const ifMatch = header(headers, "if-match");
  if (ifMatch !== undefined && quirks.refuseIfMatchOnComplete === true) {
    return () => {
      throw new S3Error("PreconditionFailed", "If-Match is not understood");
    };
  }
  if (ifMatch !== undefined && quirks.ignoreIfMatchOnComplete === true) return () => {};
  return writeGuard(headers, key);
}

function completed(
  { bucket, key, headers }: S3Request,
  { scheme, store }: Pick<Endpoint, "scheme" | "store">,
  object: StoredObject,
  etag = quoted(object.etag),
): Reply {
  const location = `${scheme}://${header(headers, "host") ?? "localhost"}/${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`;
  return xmlReply(
    document(
      "CompleteMultipartUploadResult",
      element("Location", location),
      element("Bucket", bucket),
      element("Key", key),
      element("ETag", etag),
      ...Object.entries(object.checksums).map(([algorithm, value]) =>
        element(checksumElement(algorithm as ChecksumAlgorithm), value),
      ),
      element("ChecksumType", object.checksumType),
    ),
    { ...sseHeaders(object.attributes), ...versionHeader(store, bucket, key) },
  );
}

async function parseRequest(request: S3Request): Promise<CompleteRequest> {
  const { headers } = request;
  const root = parseDocument(await readCompleteXml(request), "CompleteMultipartUpload");
  const listed = children(root, "Part").map(parsePart);
  if (listed.length === 0 || listed.length > LIMITS.maxPartNumber) throw malformedXml();
  const size = header(headers, "x-amz-mp-object-size");
  if (size !== undefined && !/^\d{1,15}$/.test(size)) {
    throw new S3Error("InvalidRequest", "Value for x-amz-mp-object-size header is invalid.");
  }
  return {
    listed,
    objectSize: size === undefined ? undefined : Number(size),
    checksums: declaredChecksums(headers),
    checksumType: typeOf(header(headers, "x-amz-checksum-type")),
  };
}

/** Here x-amz-checksum-* speaks of the object, not of the body that carries it. */
function readCompleteXml(request: S3Request): Promise<string> {
  const headers = { ...request.headers };
  for (const name of Object.keys(headers)) if (name.startsWith("x-amz-checksum-")) delete headers[name];
  return readXml({ ...request, headers }, "plain");
}

function parsePart(node: XmlNode): ListedPart {
  const number = childText(node, "PartNumber")?.trim() ?? "";
  const etag = childText(node, "ETag")?.trim();
  if (!/^\d{1,10}$/.test(number) || etag === undefined) throw malformedXml();
  if (Number(number) < 1 || Number(number) > LIMITS.maxPartNumber) {
    throw new S3Error("InvalidArgument", `PartNumber must be between 1 and ${LIMITS.maxPartNumber}`);
  }
  const checksums: ChecksumValues = Object.fromEntries(
    CHECKSUM_ALGORITHMS.flatMap((algorithm) => {
      const value = childText(node, checksumElement(algorithm))?.trim();
      return value === undefined ? [] : [[algorithm, value]];
    }),
  );
  return { number: Number(number), etag: unquoted(etag), checksums };
}

function typeOf(type: string | undefined): ChecksumType | undefined {
  if (type === undefined || type === "COMPOSITE" || type === "FULL_OBJECT") return type;
  throw new S3Error("InvalidRequest", "Value for x-amz-checksum-type header is invalid.");
}
