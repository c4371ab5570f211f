/**
 * PutObject: the object appears complete, with every declared digest right and its condition still true, or not at all.
 */
import { randomBytes } from "node:crypto";
import { declaredBody } from "../body/declared.ts";
import { receiveBody } from "../body/receive.ts";
import { type ChecksumAlgorithm, checksumHeader, type ChecksumValues } from "../checksums/algorithms.ts";
import { S3Error } from "../errors.ts";
import type { Handler } from "../http/exchange.ts";
import { LIMITS } from "../limits.ts";
import { newContentId } from "../store/ids.ts";
import type { WriteGuard } from "../store/objects.ts";
import type { Store } from "../store/store.ts";
import { attributesOf, sseHeaders } from "./attributes.ts";
import { isConditional, quoted, writeGuard } from "./conditions.ts";

export const putObject: Handler = async (request, { store, quirks, nowMs }) => {
  const { bucket, key, headers } = request;
  store.buckets.need(bucket);
  const attributes = attributesOf(headers, quirks);
  const declared = declaredBody(headers, request.auth);
  if (declared.length > LIMITS.maxPartBytes) throw tooLarge(declared.length);
  const conditional = isConditional(headers) && quirks.ignoreConditionalPut !== true;
  const guard: WriteGuard = conditional ? writeGuard(headers, key) : () => {};
  const before = store.objects.find(bucket, key);
  guard(before);

  const content = newContentId(nowMs());
  const received = await receiveBody(request.body.open(declared.chunked), store.blobs, {
    name: `${content}.1.body`,
    declared,
    md5: quirks.etagNotMd5 !== true,
    corrupt: request.body.corrupt,
  });
  const { size, checksums, blob } = received;
  const etag = received.md5 !== undefined && quirks.etagNotMd5 !== true ? received.md5 : randomEtag();
  const modifiedMs = nowMs();
  const hasChecksum = Object.keys(checksums).length > 0;
  const object = {
    key,
    content,
    etag,
    size,
    modifiedMs,
    attributes,
    checksums,
    ...(hasChecksum && { checksumType: "FULL_OBJECT" as const }),
  };
  try {
    store.buckets.need(bucket);
    await store.objects.put(
      bucket,
      object,
      { number: 1, etag, size, modifiedMs, checksums },
      blob,
      (existing) => {
        // The condition was met when the body began; another write that came first is a different kind of conflict.
        if (conditional && existing?.content !== before?.content) throw conflict();
      },
    );
  } catch (error) {
    await received.discard();
    throw error;
  }
  return {
    status: 200,
    headers: {
      etag: quoted(etag),
      ...checksumHeaders(checksums),
      ...(hasChecksum && { "x-amz-checksum-type": "FULL_OBJECT" }),
      ...sseHeaders(attributes),
      ...versionHeader(store, bucket, key),
    },
  };
};

export function versionHeader(store: Store, bucket: string, key: string): Record<string, string> {
  const id = store.objects.versionId(bucket, key);
  return id === undefined ? {} : { "x-amz-version-id": id };
}

const conflict = (): S3Error =>
  new S3Error(
    "ConditionalRequestConflict",
    "The conditional request cannot succeed due to a conflicting operation against this resource.",
  );

export const tooLarge = (size: number): S3Error =>
  new S3Error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", {
    fields: { ProposedSize: String(size), MaxSizeAllowed: String(LIMITS.maxPartBytes) },
  });

export const randomEtag = (): string => randomBytes(16).toString("hex");

export const checksumHeaders = (checksums: ChecksumValues): Record<string, string> =>
  Object.fromEntries(
    Object.entries(checksums).map(([algorithm, value]) => [
      checksumHeader(algorithm as ChecksumAlgorithm),
      value,
    ]),
  );
