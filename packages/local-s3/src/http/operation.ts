/** Which S3 operation a request is: read from method, path depth and query, and whether it copies. */
import { S3Error } from "../errors.ts";

export const OPERATIONS = [
  "ListBuckets",
  "CreateBucket",
  "HeadBucket",
  "DeleteBucket",
  "GetBucketLocation",
  "GetBucketVersioning",
  "GetBucketLifecycleConfiguration",
  "PutBucketLifecycleConfiguration",
  "DeleteBucketLifecycle",
  "ListObjects",
  "ListObjectsV2",
  "ListObjectVersions",
  "DeleteObjects",
  "ListMultipartUploads",
  "PutObject",
  "CopyObject",
  "GetObject",
  "HeadObject",
  "DeleteObject",
  "GetObjectTagging",
  "GetObjectAttributes",
  "CreateMultipartUpload",
  "UploadPart",
  "UploadPartCopy",
  "ListParts",
  "CompleteMultipartUpload",
  "AbortMultipartUpload",
] as const;

export type Operation = (typeof OPERATIONS)[number];

/** Query names that select another operation than the plain one; a name in none of the tables below is NotImplemented. */
const SUBRESOURCES = new Set(
  [
    "accelerate acl analytics attributes cors delete encryption intelligent-tiering inventory legal-hold lifecycle location",
    "logging metadataTable metrics notification object-lock ownershipControls partNumber policy policyStatus publicAccessBlock",
    "renameObject replication requestPayment restore retention select session tagging torrent uploadId uploads versionId",
    "versioning versions website",
  ]
    .join(" ")
    .split(" "),
);

type Table = Readonly<Record<string, Operation>>;

const SERVICE: Table = { "GET ": "ListBuckets" };
const BUCKET: Table = {
  "PUT ": "CreateBucket",
  "HEAD ": "HeadBucket",
  "DELETE ": "DeleteBucket",
  "GET ": "ListObjects",
  "GET location": "GetBucketLocation",
  "GET versioning": "GetBucketVersioning",
  "GET lifecycle": "GetBucketLifecycleConfiguration",
  "PUT lifecycle": "PutBucketLifecycleConfiguration",
  "DELETE lifecycle": "DeleteBucketLifecycle",
  "GET versions": "ListObjectVersions",
  "GET uploads": "ListMultipartUploads",
  "POST delete": "DeleteObjects",
};
const OBJECT: Table = {
  "PUT ": "PutObject",
  "GET ": "GetObject",
  "HEAD ": "HeadObject",
  "DELETE ": "DeleteObject",
  "DELETE versionId": "DeleteObject",
  "GET partNumber": "GetObject",
  "HEAD partNumber": "HeadObject",
  "GET tagging": "GetObjectTagging",
  "GET attributes": "GetObjectAttributes",
  "POST uploads": "CreateMultipartUpload",
  "PUT partNumber,uploadId": "UploadPart",
  "GET uploadId": "ListParts",
  "POST uploadId": "CompleteMultipartUpload",
  "DELETE uploadId": "AbortMultipartUpload",
};

export interface OperationFacts {
  readonly method: string;
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  readonly query: ReadonlyMap<string, string>;
  /** x-amz-copy-source is set: the bytes come from another object, not from a body. */
  readonly copies?: boolean;
}

/** Throws NotImplemented for what S3 has and this endpoint has not, MethodNotAllowed for what S3 has not either. */
export function operationOf(facts: OperationFacts): Operation {
  const table = facts.bucket === undefined ? SERVICE : facts.key === undefined ? BUCKET : OBJECT;
  const selected = [...facts.query.keys()].filter((name) => SUBRESOURCES.has(name)).sort();
  const operation = table[`${facts.method} ${selected.join(",")}`];
  if (operation === "ListObjects" && facts.query.get("list-type") === "2") return "ListObjectsV2";
  if (operation === "PutObject" && facts.copies === true) return "CopyObject";
  if (operation === "UploadPart" && facts.copies === true) return "UploadPartCopy";
  if (operation !== undefined) return operation;
  if (selected.length > 0) {
    throw new S3Error(
      "NotImplemented",
      `${facts.method} with ?${selected.join("&")} is not implemented by this endpoint.`,
    );
  }
  throw new S3Error("MethodNotAllowed", "The specified method is not allowed against this resource.");
}
