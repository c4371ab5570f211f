/**
 * The metadata object: what was stored, from which file, how it was verified. Made only from the record as it entered
 * `s3_completed`, so that writing it twice writes the same bytes.
 */
import { displayPath } from "../stream/raw-path.ts";
import type { Part, Parts, StreamRecord } from "../stream/record.ts";

export const METADATA_CONTENT_TYPE = "application/json";

/** What the metadata object says of a sealed stream, as `docs/reference/metadata.schema.json` describes it. */
export function metadataDocument(record: StreamRecord, parts: Parts) {
  const list = [...parts.values()].toSorted((a, b) => a.PartNumber - b.PartNumber);
  return {
    format: "sluice/metadata/1",
    stream_id: record.id,
    supersedes: record.supersedes ?? null,
    source: record.source,
    watch: record.watch,
    path: displayPath(record.original_path),
    bucket: record.s3_bucket,
    key: record.s3_key ?? null,
    size: record.file_size,
    file_mtime_ns: record.file_mtime_ns ?? null,
    file_ctime_ns: record.file_ctime_ns ?? null,
    file_inode: record.file_inode ?? null,
    file_birthtime_ns: record.file_birthtime_ns ?? null,
    content_type: record.content_type ?? null,
    started_at_utc: record.started_at_utc,
    sealed_at_utc: record.sealed_at_utc ?? null,
    completed_by: record.completed_by ?? null,
    ...partialOf(record, list),
    crc32: record.crc32 ?? null,
    etag: record.etag ?? null,
    upload_id: record.s3_upload_id ?? null,
    part_plan: record.part_plan,
    parts: list.map((part) => ({
      PartNumber: part.PartNumber,
      Offset: part.Offset,
      Size: part.Size,
      ETag: part.ETag,
      ChecksumCRC32: part.ChecksumCRC32 ?? null,
    })),
    verify_mode: record.verify_mode,
    verify_result: record.verify_result ?? null,
    worker: record.sealed_by ?? null,
    worker_version: record.sealed_version ?? null,
  };
}

/** Of an object that holds the first bytes of its file alone; of any other, nothing. */
function partialOf(record: StreamRecord, parts: readonly Part[]) {
  if (record.completed_by !== "salvage") return {};
  const { last_known_size: known } = record;
  return {
    partial: true,
    last_known_size: known ?? null,
    missing_bytes: known === undefined ? null : Math.max(0, known - record.file_size),
    // When S3 had it: the file had it no later.
    last_byte_at_utc: parts.at(-1)?.UploadedAt ?? null,
  };
}

export type MetadataDocument = ReturnType<typeof metadataDocument>;

/** The same as JSON, two spaces deep, with a line break at its end. */
export function metadataBytes(record: StreamRecord, parts: Parts): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(metadataDocument(record, parts), null, 2)}\n`);
}

export interface DescribedPart {
  ETag: string;
  Size: number;
  Offset: number;
  ChecksumCRC32: string | null;
}

/** What a metadata object says about the object it describes. */
export interface Described {
  path: string;
  etag: string;
  parts: DescribedPart[];
}

/** Others can write it: undefined for anything that this program does not write. */
export function parseMetadata(text: string): Described | undefined {
  const document = parsedJson(text);
  if (!isObject(document)) return undefined;
  const { path, etag, parts } = document;
  if (typeof path !== "string" || typeof etag !== "string" || !Array.isArray(parts)) return undefined;
  return parts.every(isDescribedPart) ? { path, etag, parts } : undefined;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isDescribedPart(part: unknown): part is DescribedPart {
  if (!isObject(part)) return false;
  const { ETag, Size, Offset, ChecksumCRC32 } = part;
  const sizes = [Size, Offset].every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
  return sizes && typeof ETag === "string" && (ChecksumCRC32 === null || typeof ChecksumCRC32 === "string");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
