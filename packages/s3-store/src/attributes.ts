/** What an object bears besides its bytes: content type, user metadata, storage class, encryption, tags. */
import type { CreateMultipartUploadCommandInput } from "@aws-sdk/client-s3";
import type { ObjectHeaders } from "@sluice/core";

export interface ObjectAttributes {
  storageClass?: string | undefined;
  /** "AES256", "aws:kms" or "aws:kms:dsse". */
  sse?: string | undefined;
  sseKmsKeyId?: string | undefined;
  tags?: Readonly<Record<string, string>> | undefined;
}

export type AttributeFields = Pick<
  CreateMultipartUploadCommandInput,
  "ContentType" | "Metadata" | "StorageClass" | "ServerSideEncryption" | "SSEKMSKeyId" | "Tagging"
>;

/** S3's bound on the names and values of user metadata together. */
export const METADATA_BYTES = 2048;
/** Room that our own `sluice-stream-id` and `sluice-file` need. */
const OWN_METADATA_BYTES = 128;
const MOST_TAGS = 10;

export function attributeFields(headers: ObjectHeaders, attributes: ObjectAttributes): AttributeFields {
  const { storageClass, sse, sseKmsKeyId, tags } = attributes;
  const fields: AttributeFields = {
    ContentType: headers.contentType,
    Metadata: encodeMetadata(headers.metadata),
  };
  if (storageClass !== undefined)
    fields.StorageClass = storageClass as NonNullable<AttributeFields["StorageClass"]>;
  if (sse !== undefined)
    fields.ServerSideEncryption = sse as NonNullable<AttributeFields["ServerSideEncryption"]>;
  if (sseKmsKeyId !== undefined) fields.SSEKMSKeyId = sseKmsKeyId;
  if (tags !== undefined && Object.keys(tags).length > 0)
    fields.Tagging = new URLSearchParams(tags).toString();
  return fields;
}

/** The same as headers of a Put, lower-case names. */
export function attributeHeaders(fields: AttributeFields): Record<string, string> {
  const { ContentType, Metadata, StorageClass, ServerSideEncryption, SSEKMSKeyId, Tagging } = fields;
  const headers: Record<string, string> = {};
  const set = (name: string, value: string | undefined): void => {
    if (value !== undefined) headers[name] = value;
  };
  set("content-type", ContentType);
  for (const [name, value] of Object.entries(Metadata ?? {})) set(`x-amz-meta-${name}`, value);
  set("x-amz-storage-class", StorageClass);
  set("x-amz-server-side-encryption", ServerSideEncryption);
  set("x-amz-server-side-encryption-aws-kms-key-id", SSEKMSKeyId);
  set("x-amz-tagging", Tagging);
  return headers;
}

/** Values travel as headers: one that is not printable ASCII is percent-encoded as a whole. */
export function encodeMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), headerText(value)]),
  );
}

function headerText(value: string): string {
  return /^[\x20-\x7e]*$/.test(value) && value === value.trim()
    ? value
    : encodeURIComponent(value.toWellFormed());
}

/** What is wrong with SLUICE_S3_METADATA and SLUICE_S3_TAGS, in plain words; empty: nothing. For the start of the worker. */
export function checkAttributes(
  metadata: Readonly<Record<string, string>>,
  tags: Readonly<Record<string, string>>,
): string[] {
  const problems: string[] = [];
  for (const name of Object.keys(metadata)) {
    if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) {
      problems.push(`SLUICE_S3_METADATA: "${name}" cannot be a header name; use letters, digits and hyphens`);
    } else if (/^sluice-/i.test(name)) {
      problems.push(`SLUICE_S3_METADATA: "${name}" is reserved; names that begin with "sluice-" are ours`);
    }
  }
  const bytes = Object.entries(encodeMetadata(metadata)).reduce(
    (sum, [name, value]) => sum + name.length + value.length,
    0,
  );
  const most = METADATA_BYTES - OWN_METADATA_BYTES;
  if (bytes > most) {
    problems.push(
      `SLUICE_S3_METADATA: names and values take ${bytes} bytes as sent, S3 leaves room for ${most}`,
    );
  }
  if (Object.keys(tags).length > MOST_TAGS) {
    problems.push(`SLUICE_S3_TAGS: ${Object.keys(tags).length} tags, S3 allows ${MOST_TAGS} an object`);
  }
  for (const [key, value] of Object.entries(tags)) {
    if (key.length === 0 || key.length > 128 || value.length > 256) {
      problems.push(`SLUICE_S3_TAGS: "${key}": a tag's name has 1 to 128 characters, its value at most 256`);
    }
  }
  return problems;
}
