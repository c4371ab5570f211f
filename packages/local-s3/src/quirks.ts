/** How other stores differ from AWS, as switches: each is off by default, and off means AWS's behaviour. */
export const QUIRKS = {
  nonIdempotentComplete: "repeating a finished Complete gives 404 NoSuchUpload",
  ignoreConditionalComplete: "If-Match and If-None-Match on Complete are silently ignored (Ceph RGW)",
  refuseIfMatchOnComplete: "If-Match on Complete gives 412, even with the ETag of the existing object",
  ignoreIfMatchOnComplete: "If-Match on Complete is silently ignored, If-None-Match is not",
  ignoreConditionalPut: "If-Match and If-None-Match on PutObject are silently ignored",
  ignoreObjectSize: "x-amz-mp-object-size on Complete is silently ignored (Ceph RGW)",
  noChecksums: "any x-amz-checksum-* or x-amz-sdk-checksum-algorithm header gives 400 InvalidArgument",
  noTrailers: "a body without Content-Length (aws-chunked over chunked transfer) gives 411 (Ceph RGW)",
  refuseUnsignedPayload: "UNSIGNED-PAYLOAD gives 400 InvalidArgument (B2, Scaleway)",
  noPartChecksumInListParts: "ListParts shows no checksums",
  etagNotMd5: "ETags are random, of parts and of objects (SSE-KMS)",
  emptyCompleteEtag: "the first reply to Complete has an empty ETag (Ceph RGW)",
  noMetadata: "x-amz-meta-* is dropped",
  listUploadsExactKeyOnly: "ListMultipartUploads takes its prefix for a whole key (RustFS)",
  head403OnMissing: "HEAD of a missing key gives 403, as without s3:ListBucket",
  refuseUnlistedParts: "Complete gives InvalidPart when an uploaded part is not listed (Ceph RGW)",
  demandPartChecksums:
    "Complete gives 400 InvalidRequest when a part of an upload with a checksum is listed without it (VersityGW)",
  versioned: "buckets keep every version, until the server stops; deleting a key adds a delete marker",
  notModifiedOnCondition: "a condition that is not met gives 304 without a body, on writes as well",
  listEndedUploads: "ListParts answers with all parts for an upload that was completed or aborted",
  listEndedUploadsEmpty: "ListParts answers without parts for an upload that was completed or aborted",
  htmlRefusals: "a refusal has content-type text/html, and its body is a page of HTML for HEAD and 400",
  wrongChecksumIsInvalidRequest: "a body that differs from its checksum gives 400 InvalidRequest",
  noSuchKeyForUpload: "NoSuchUpload is called NoSuchKey (Ceph RGW, DigitalOcean)",
  noCopy: "UploadPartCopy gives 501 NotImplemented (Google Cloud Storage)",
  ignoreCopyConditions: "x-amz-copy-source-if-* is silently ignored",
  noPartChecksumInCopy: "the reply to UploadPartCopy shows no checksum",
  equalParts: "Complete gives InvalidPart unless all parts but the last have one size (Cloudflare R2)",
} as const;

export type Quirk = keyof typeof QUIRKS;
export type Quirks = Readonly<Partial<Record<Quirk, boolean>>>;

/** Throws a TypeError that names the unknown quirk. */
export function parseQuirks(names: readonly string[]): Quirks {
  const quirks: Partial<Record<Quirk, boolean>> = {};
  for (const name of names) {
    if (!isQuirk(name))
      throw new TypeError(`unknown quirk "${name}"; known: ${Object.keys(QUIRKS).join(", ")}`);
    quirks[name] = true;
  }
  return quirks;
}

const isQuirk = (name: string): name is Quirk => Object.hasOwn(QUIRKS, name);
