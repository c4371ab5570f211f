/** What the store keeps, as values: rows are parsed here and nowhere else. */
import type { ChecksumAlgorithm, ChecksumType, ChecksumValues } from "../checksums/algorithms.ts";
import { bytes, integer, optionalText, type Row, text } from "./database.ts";

/** Set when an object is created and returned with it unchanged. */
export interface Attributes {
  /** Reply headers: content-type, x-amz-meta-*, x-amz-storage-class, x-amz-server-side-encryption ... */
  readonly headers: Readonly<Record<string, string>>;
  /** The x-amz-tagging header as sent: a query string. */
  readonly tagging?: string;
}

export interface StoredPart {
  readonly number: number;
  /** Without quotes. */
  readonly etag: string;
  readonly size: number;
  readonly modifiedMs: number;
  readonly checksums: ChecksumValues;
}

export interface StoredObject {
  readonly key: string;
  readonly content: string;
  readonly etag: string;
  readonly size: number;
  readonly modifiedMs: number;
  readonly attributes: Attributes;
  readonly checksums: ChecksumValues;
  readonly checksumType?: ChecksumType;
}

export interface StoredUpload {
  readonly id: string;
  readonly key: string;
  readonly initiatedMs: number;
  readonly attributes: Attributes;
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType };
}

// Columns holding JSON are written by this package only, under the schema version; hence the plain casts.
const json = <T>(row: Row, column: string): T => JSON.parse(text(row, column)) as T;

export const toPart = (row: Row): StoredPart => ({
  number: integer(row, "number"),
  etag: text(row, "etag"),
  size: integer(row, "size"),
  modifiedMs: integer(row, "modified_ms"),
  checksums: json<ChecksumValues>(row, "checksums"),
});

export function toObject(row: Row): StoredObject {
  const checksumType = optionalText(row, "checksum_type") as ChecksumType | undefined;
  return {
    key: bytes(row, "key").toString(),
    content: text(row, "content"),
    etag: text(row, "etag"),
    size: integer(row, "size"),
    modifiedMs: integer(row, "modified_ms"),
    attributes: json<Attributes>(row, "attributes"),
    checksums: json<ChecksumValues>(row, "checksums"),
    ...(checksumType !== undefined && { checksumType }),
  };
}

export function toUpload(row: Row): StoredUpload {
  const algorithm = optionalText(row, "algorithm") as ChecksumAlgorithm | undefined;
  return {
    id: text(row, "id"),
    key: bytes(row, "key").toString(),
    initiatedMs: integer(row, "initiated_ms"),
    attributes: json<Attributes>(row, "attributes"),
    ...(algorithm !== undefined && {
      checksum: { algorithm, type: text(row, "checksum_type") as ChecksumType },
    }),
  };
}
