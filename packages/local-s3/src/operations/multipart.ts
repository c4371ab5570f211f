/** CreateMultipartUpload, UploadPart, AbortMultipartUpload: an upload is open until it is completed or aborted, whatever is in flight. */
import { declaredBody } from "../body/declared.ts";
import { receiveBody } from "../body/receive.ts";
import {
  allowsType,
  type ChecksumAlgorithm,
  CHECKSUM_ALGORITHMS,
  type ChecksumType,
  defaultType,
  isAlgorithm,
} from "../checksums/algorithms.ts";
import { S3Error } from "../errors.ts";
import { type Handler, header, type S3Request, xmlReply } from "../http/exchange.ts";
import { LIMITS } from "../limits.ts";
import { newContentId } from "../store/ids.ts";
import type { StoredUpload } from "../store/records.ts";
import { document, element } from "../xml.ts";
import { attributesOf, sseHeaders } from "./attributes.ts";
import { quoted } from "./conditions.ts";
import { countParameter } from "./paging.ts";
import { checksumHeaders, randomEtag, tooLarge } from "./put-object.ts";

export const createMultipartUpload: Handler = async ({ bucket, key, headers }, { store, quirks, nowMs }) => {
  store.buckets.need(bucket);
  const checksum = checksumOf(
    header(headers, "x-amz-checksum-algorithm"),
    header(headers, "x-amz-checksum-type"),
  );
  const initiatedMs = nowMs();
  const upload: StoredUpload = {
    id: newContentId(initiatedMs),
    key,
    initiatedMs,
    attributes: attributesOf(headers, quirks),
    ...(checksum !== undefined && { checksum }),
  };
  await store.uploads.create(bucket, upload);
  return xmlReply(
    document(
      "InitiateMultipartUploadResult",
      element("Bucket", bucket),
      element("Key", key),
      element("UploadId", upload.id),
    ),
    {
      ...(checksum !== undefined && {
        "x-amz-checksum-algorithm": checksum.algorithm,
        "x-amz-checksum-type": checksum.type,
      }),
      ...sseHeaders(upload.attributes),
    },
  );
};

function checksumOf(name: string | undefined, typeName: string | undefined): StoredUpload["checksum"] {
  if (name === undefined) {
    if (typeName === undefined) return undefined;
    throw new S3Error(
      "InvalidRequest",
      "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
    );
  }
  const algorithm = name.toUpperCase();
  if (!isAlgorithm(algorithm)) {
    throw new S3Error(
      "InvalidRequest",
      `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${CHECKSUM_ALGORITHMS.join(", ")}]`,
    );
  }
  const type = typeName?.toUpperCase() ?? defaultType(algorithm);
  if (!isType(type)) throw new S3Error("InvalidRequest", "Value for x-amz-checksum-type header is invalid.");
  if (!allowsType(algorithm, type)) {
    throw new S3Error(
      "InvalidRequest",
      `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  return { algorithm, type };
}

const isType = (type: string): type is ChecksumType => type === "COMPOSITE" || type === "FULL_OBJECT";

export const uploadPart: Handler = async (request, { store, quirks, nowMs }) => {
  const { bucket, key, query, headers } = request;
  const uploadId = query.get("uploadId") ?? "";
  const number = partNumberOf(request);
  store.buckets.need(bucket);
  const upload = store.uploads.need(bucket, key, uploadId);
  const declared = declaredBody(headers, request.auth);
  if (declared.length > LIMITS.maxPartBytes) throw tooLarge(declared.length);
  const given = declared.trailer ?? (Object.keys(declared.checksums)[0] as ChecksumAlgorithm | undefined);
  checkAlgorithm(upload, given);

  const received = await receiveBody(request.body.open(declared.chunked), store.blobs, {
    name: `${uploadId}.${number}.${randomEtag()}`,
    declared,
    // The parts of a FULL_OBJECT upload may have no checksum; the whole object's still needs it.
    alsoCompute: upload.checksum?.algorithm,
    md5: quirks.etagNotMd5 !== true,
    corrupt: request.body.corrupt,
  });
  const { size, checksums, blob } = received;
  const etag = received.md5 !== undefined && quirks.etagNotMd5 !== true ? received.md5 : randomEtag();
  try {
    await store.uploads.putPart(
      bucket,
      key,
      uploadId,
      { number, etag, size, modifiedMs: nowMs(), checksums },
      blob,
    );
  } catch (error) {
    await received.discard();
    throw error;
  }
  return {
    status: 200,
    headers: { etag: quoted(etag), ...checksumHeaders(checksums), ...sseHeaders(upload.attributes) },
  };
};

export function partNumberOf({ query }: S3Request): number {
  const number = countParameter(query, "partNumber") ?? 0;
  if (number >= 1 && number <= LIMITS.maxPartNumber) return number;
  throw new S3Error(
    "InvalidArgument",
    `Part number must be an integer between 1 and ${LIMITS.maxPartNumber}, inclusive`,
    {
      fields: { ArgumentName: "partNumber", ArgumentValue: query.get("partNumber") ?? "" },
    },
  );
}

/** A part may bring another checksum than its upload's only if the upload declared none. */
function checkAlgorithm({ checksum }: StoredUpload, given: ChecksumAlgorithm | undefined): void {
  if (checksum === undefined || given === checksum.algorithm) return;
  if (given === undefined && checksum.type === "FULL_OBJECT") return;
  throw new S3Error(
    "InvalidRequest",
    `Checksum Type mismatch occurred, expected checksum Type: ${checksum.algorithm.toLowerCase()}, actual checksum Type: ${given?.toLowerCase() ?? "null"}`,
  );
}

export const abortMultipartUpload: Handler = async ({ bucket, key, query }, { store }) => {
  store.buckets.need(bucket);
  await store.uploads.abort(bucket, key, query.get("uploadId") ?? "");
  return { status: 204 };
};
