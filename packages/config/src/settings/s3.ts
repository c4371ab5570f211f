/** The bucket, and how to talk to its store. Credentials come from the AWS SDK's own chain. */
import { setting } from "../setting.ts";
import { list, pairs } from "../values/collections.ts";
import { duration, onOff, oneOf, text } from "../values/scalars.ts";
import { httpUrl } from "../values/urls.ts";

const group = "S3";

export const S3_CHECKSUM = ["auto", "full-object", "per-part", "md5", "off"] as const;
export type S3Checksum = (typeof S3_CHECKSUM)[number];
/** Stores with known limits (`packages/s3-store/src/profiles.ts`). */
export const S3_PROFILES = [
  "aws",
  "r2",
  "b2",
  "gcs",
  "wasabi",
  "minio",
  "scaleway",
  "storj",
  "digitalocean",
  "ovh",
  "oci",
  "rustfs",
  "ceph",
  "versitygw",
  "seaweedfs",
  "garage",
] as const;
export type S3ProfileName = (typeof S3_PROFILES)[number];
export const S3_SSE = ["AES256", "aws:kms", "aws:kms:dsse"] as const;
export type S3Sse = (typeof S3_SSE)[number];

/** S3's own bounds: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html and object-tagging.html */
const METADATA_BYTES = 1_536;
const TAGS = 10;

export const s3Settings = {
  s3Bucket: setting({
    name: "S3_BUCKET",
    group,
    type: text(
      "a bucket name (3 to 63 lower-case letters, digits, dots and hyphens) or an access point's ARN",
      isBucket,
    ),
    computed: "none; required",
    about: "The bucket for the objects.",
  }),
  s3OldBuckets: setting({
    name: "S3_OLD_BUCKETS",
    group,
    type: list("bucket names, separated by commas", isBucket),
    initial: "",
    about:
      "Earlier buckets, in which streams that began there may still be completed. A stream whose record names any other bucket fails with `access_denied`, so that data only goes to configured buckets.",
  }),
  s3KeyPrefix: setting({
    name: "S3_KEY_PREFIX",
    group,
    type: text(
      "any text that does not begin with a slash",
      (value) => !value.startsWith("/") && !/\p{Cc}/u.test(value),
    ),
    initial: "",
    emptyIsValue: true,
    about:
      "A prefix of every object's key; `{source}` and `{watch}` are replaced by those names. With several watches the watch's name follows: `<prefix><watch>/<relative path>`.",
  }),
  s3Endpoint: setting({
    name: "S3_ENDPOINT",
    group,
    type: httpUrl(),
    computed: "AWS",
    about: "The address of a store that is not AWS.",
  }),
  s3PublicEndpoint: setting({
    name: "S3_PUBLIC_ENDPOINT",
    group,
    type: httpUrl(),
    computed: "S3_ENDPOINT",
    about:
      "The store's address as a browser reaches it, if that is another one: used for the addresses of objects that the dashboard shows, and for downloads.",
  }),
  s3Downloads: setting({
    name: "S3_DOWNLOADS",
    group,
    type: onOff(),
    initial: "true",
    about:
      "Sign addresses with which an operator of the dashboard downloads an object, for five minutes each. `false`: none is signed, also not for a request that was forged in Redis.",
  }),
  s3Region: setting({
    name: "S3_REGION",
    group,
    type: text("a region's name, such as eu-central-1", (value) => /^[A-Za-z0-9-]+$/.test(value)),
    computed: "the AWS SDK's (AWS_REGION, profile), else us-east-1",
    about: "The bucket's region.",
  }),
  s3ForcePathStyle: setting({
    name: "S3_FORCE_PATH_STYLE",
    group,
    type: onOff(),
    computed: "true with S3_ENDPOINT, else false",
    about: "Put the bucket's name in the path rather than in the host name.",
  }),
  s3CreateBucket: setting({
    name: "S3_CREATE_BUCKET",
    group,
    type: onOff(),
    initial: "false",
    about: "Create the bucket at start when it is missing.",
  }),
  s3Profile: setting({
    name: "S3_PROFILE",
    group,
    type: oneOf(S3_PROFILES),
    computed: "by the endpoint's host name; else unknown",
    about:
      "The store's name, for limits that its answers do not show: how long an upload may stay open, how many parts it may have. The store's own answers take precedence.",
  }),
  s3UploadAgeMs: setting({
    name: "S3_UPLOAD_AGE",
    group,
    type: duration({ from: 60_000, to: 365 * 86_400_000 }),
    computed: "the bucket's lifecycle rule, else the named store's limit, else none",
    about:
      "The age at which the store aborts an upload, if its answers do not show it: MinIO's `stale_uploads_expiry`, for example. Streams show when theirs ends, and warn in time.",
  }),
  s3Checksum: setting({
    name: "S3_CHECKSUM",
    group,
    type: oneOf(S3_CHECKSUM),
    initial: "auto",
    about:
      "How the store verifies uploads: `full-object` and `per-part` are CRC32, `md5` is Content-MD5. `auto` asks the store at start and uses the first of these that it supports.",
  }),
  s3StorageClass: setting({
    name: "S3_STORAGE_CLASS",
    group,
    type: text("a storage class, such as STANDARD_IA", (value) => /^[A-Z][A-Z0-9_]*$/.test(value)),
    computed: "the bucket's",
    about: "The storage class of the objects.",
  }),
  s3Sse: setting({
    name: "S3_SSE",
    group,
    type: oneOf(S3_SSE),
    computed: "the bucket's",
    about: "Server-side encryption requested for each object.",
  }),
  s3SseKmsKeyId: setting({
    name: "S3_SSE_KMS_KEY_ID",
    group,
    type: text("a KMS key id, alias or ARN", (value) => /^\S+$/.test(value)),
    computed: "the account's own key",
    about: "The KMS key; needs `S3_SSE=aws:kms` or `aws:kms:dsse`.",
  }),
  s3Tags: setting({
    name: "S3_TAGS",
    group,
    type: pairs(
      `up to ${TAGS} name=value pairs separated by commas, names to 128 and values to 256 characters`,
      tagsFit,
    ),
    initial: "",
    about: "Tags of every object.",
  }),
  s3Metadata: setting({
    name: "S3_METADATA",
    group,
    type: pairs(
      "name=value pairs separated by commas, printable ASCII, together under 1.5 KiB, names not beginning with sluice-",
      metadataFits,
    ),
    initial: "",
    about: "User metadata (`x-amz-meta-*`) of every object.",
  }),
};

function isBucket(value: string): boolean {
  return /^(?:[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]|arn:[^\s]+)$/.test(value);
}

function tagsFit(tags: Readonly<Record<string, string>>): boolean {
  const entries = Object.entries(tags);
  return (
    entries.length <= TAGS && entries.every(([name, value]) => name.length <= 128 && value.length <= 256)
  );
}

function metadataFits(metadata: Readonly<Record<string, string>>): boolean {
  const entries = Object.entries(metadata);
  const bytes = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  return (
    bytes <= METADATA_BYTES &&
    entries.every(
      ([name, value]) =>
        /^[a-z0-9][a-z0-9-]*$/i.test(name) && !/^sluice-/i.test(name) && /^[\x20-\x7e]*$/.test(value),
    )
  );
}
