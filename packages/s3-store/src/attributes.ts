/** An object's attributes: content type, user metadata, storage class, encryption, tags. */
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

/** The same as headers of a Put, with lower-case names. */
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

/** Values are sent as headers: one that is not printable ASCII is percent-encoded as a whole. */
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
