/**
 * Resumes a record of an early version of Sluice: path, bucket, prefix, upload id and parts are read as they are, the
 * rest is filled in from the file and from what S3 lists. Its parts keep their sizes; later ones follow our part plan.
 */
import {
  KINDS,
  MIN_PART_BYTES,
  SCHEMA_VERSION,
  finishedPrefix,
  formatPlan,
  isoNow,
  objectKey,
  takenKeys,
  type FileFacts,
  type ListedPart,
  type ObjectStore,
  type Part,
  type PartPlan,
  type Parts,
  type ProcessorDeps,
  type StreamRecord,
} from "@sluice/core";
import type { FoundingRecord, StreamStore } from "@sluice/redis-schema";
import { lookup } from "mime-types";
import type { Watch } from "../files/watch/watch.ts";

export interface FilledIn {
  record: StreamRecord;
  parts: Part[];
}

export interface FoundingFacts {
  founding: FoundingRecord;
  /** As recorded, with offsets derived from the sizes. */
  parts: Parts;
  /** What S3 lists; undefined if the upload does not exist. */
  listed: readonly ListedPart[] | undefined;
  key: string;
  /** Undefined if the file does not exist. */
  file: FileFacts | undefined;
  watch: Watch;
  source: string;
  owner: string;
  contentType: string;
  nowUtc: string;
}

/** The record and parts as if this version had written them. Pure. */
export function fillIn(facts: FoundingFacts): FilledIn {
  const { founding, watch, file } = facts;
  const parts = runOfParts(facts.listed ?? [...facts.parts.values()]);
  const plan = planFor(parts, watch.rules.plan.partBytes);
  const prefix = finishedPrefix(new Map(parts.map((part) => [part.PartNumber, part])), plan);
  const record: StreamRecord = {
    id: founding.id,
    original_path: founding.original_path,
    source: facts.source,
    watch: watch.name,
    s3_bucket: founding.s3_bucket,
    s3_key_prefix: founding.s3_key_prefix,
    s3_key: facts.key,
    ...(founding.s3_upload_id === undefined ? {} : { s3_upload_id: founding.s3_upload_id }),
    status: founding.kind === "failed" ? "failed_incomplete_metadata" : founding.kind,
    next_part: prefix.nextPart,
    bytes_sent: prefix.bytes,
    part_plan: formatPlan(plan),
    file_size: file?.size ?? prefix.bytes,
    ...(file === undefined
      ? {}
      : {
          file_inode: file.inode,
          file_device: file.device,
          file_mtime_ns: file.mtimeNs,
          file_ctime_ns: file.ctimeNs,
        }),
    // Birth time stays unknown: whether it is the same file is not known until the last part's bytes were compared.
    started_at_utc: founding.started_at_utc ?? facts.nowUtc,
    last_activity_at_utc: founding.last_activity_at_utc ?? facts.nowUtc,
    owner: facts.owner,
    fence: founding.fence,
    revision: founding.revision,
    content_type: facts.contentType,
    longest_pause_ms: 0,
    verify_mode: watch.rules.verify,
    schema_version: SCHEMA_VERSION,
  };
  return { record, parts };
}

/**
 * The contiguous run from part 1, each part beginning where the one before ends. A short part ends the run, because it
 * is a tail.
 */
function runOfParts(found: readonly (ListedPart | Part)[]): Part[] {
  const byNumber = new Map(found.map((part) => [part.PartNumber, part]));
  const parts: Part[] = [];
  let offset = 0;
  for (let n = 1; ; n += 1) {
    const part = byNumber.get(n);
    if (!part) return parts;
    parts.push({
      PartNumber: n,
      ETag: part.ETag,
      Size: part.Size,
      Offset: offset,
      ...(part.ChecksumCRC32 === undefined ? {} : { ChecksumCRC32: part.ChecksumCRC32 }),
    });
    offset += part.Size;
    if (part.Size < MIN_PART_BYTES) return parts;
  }
}

function planFor(parts: readonly Part[], partBytes: number): PartPlan {
  const full = parts.filter((part) => part.Size >= MIN_PART_BYTES);
  const bytes = full.reduce((sum, part) => sum + part.Size, 0);
  return { kind: "listed", count: full.length, bytes, partBytes };
}

/** The key of the upload according to S3, else the prefix and the path under the watch. */
export async function keyOf(
  founding: FoundingRecord,
  watch: Watch,
  store: ObjectStore,
  hash: (text: string) => string,
): Promise<string> {
  if (founding.s3_key !== undefined) return founding.s3_key;
  for await (const upload of store.listUploads(founding.s3_bucket, founding.s3_key_prefix)) {
    if (upload.uploadId === founding.s3_upload_id) return upload.key;
  }
  const below = founding.original_path.slice(watch.root.length + 1);
  return objectKey(founding.s3_key_prefix, watch.rules.temporaryNames.finalOf(below), hash);
}

export interface FillInDeps {
  processing: ProcessorDeps;
  source: string;
  store: StreamStore;
}

/** Reads the file and the store, then writes the whole record in one step; undefined if it was lost meanwhile. */
export async function fillInFounding(
  founding: FoundingRecord,
  parts: Parts,
  watch: Watch,
  deps: FillInDeps,
): Promise<FilledIn | undefined> {
  const { processing, source, store } = deps;
  const key = await keyOf(founding, watch, processing.store, processing.digests.hash);
  const ref = { bucket: founding.s3_bucket, key };
  const uploadId = founding.s3_upload_id;
  const listing = uploadId === undefined ? undefined : await processing.store.listParts({ ...ref, uploadId });
  const look = await processing.files.look(founding.original_path);
  const filled = fillIn({
    founding,
    parts,
    listed: listing?.kind === "alive" ? listing.parts : undefined,
    key,
    file: look.kind === "file" ? look.facts : undefined,
    watch,
    source,
    owner: processing.worker.id,
    contentType:
      lookup(watch.rules.temporaryNames.finalOf(founding.original_path)) || "application/octet-stream",
    nowUtc: isoNow(processing.clock),
  });
  const outcome = await store.adopt(filled.record, {
    from: KINDS,
    patch: {},
    dropParts: true,
    parts: filled.parts,
    takeKeys: takenKeys(filled.record),
    log: ["a record of an early version was completed"],
  });
  if (outcome.kind !== "written") return undefined;
  return { ...filled, record: { ...filled.record, revision: filled.record.revision + 1 } };
}
