/**
 * Salvage of an upload of which Redis knows nothing: the listing speaks alone, and the name must be free. There is no
 * record that could be written, so the metadata object beside it is the only one that says the object is partial.
 */
import type { ProcessorDeps } from "../flow/dependencies.ts";
import { OwnedStream } from "../flow/owned-stream.ts";
import { backoffMs } from "../flow/retry.ts";
import { completeUpload } from "../object/complete.ts";
import { ConditionDoubts } from "../object/condition-doubts.ts";
import type { ObjectContext } from "../object/context.ts";
import { metadataBytes, METADATA_CONTENT_TYPE } from "../object/metadata.ts";
import { FILE_HEADER, headObject, PATH_HEADER, STREAM_ID_HEADER } from "../object/object-headers.ts";
import { metadataKey } from "../object/object-key.ts";
import { salvageRun } from "../object/salvage-run.ts";
import type { CheckpointStore } from "../ports/checkpoint-store.ts";
import { isoNow } from "../ports/clock.ts";
import type { StoredObject, UploadRef } from "../ports/object-store.ts";
import { formatBytes } from "../stream/format-bytes.ts";
import { sealedFacts } from "../stream/identity.ts";
import { newRecord } from "../stream/new-record.ts";
import { patched, type Part } from "../stream/record.ts";
import { StreamFailure } from "../errors.ts";
import { refused, salvageContext, SALVAGE_ATTEMPTS, type Salvaged } from "./salvage.ts";

export interface UploadSalvage {
  ref: UploadRef;
  /** Where somebody knows it: the file's path, as it is shown. */
  path: string;
  /** A part sent more recently than this may have a sender that is still at work; 0: not checked. */
  youngestMs: number;
}

/** Completes an upload that no stream has into a partial object. Refusals are results; `pending`: ask again later. */
export async function salvageUpload(
  asked: UploadSalvage,
  deps: ProcessorDeps,
  signal: AbortSignal,
): Promise<Salvaged> {
  const context = contextOf(asked, deps, signal);
  try {
    return await make(context, asked);
  } catch (error) {
    if (error instanceof StreamFailure) return refused(error.message);
    throw error;
  }
}

/** A record of nothing but the upload. It is in no Redis: what is written to it goes nowhere. */
function contextOf({ ref, path }: UploadSalvage, deps: ProcessorDeps, signal: AbortSignal): ObjectContext {
  const record = newRecord({
    id: deps.newId(),
    path,
    source: "",
    watch: "",
    bucket: ref.bucket,
    keyPrefix: "",
    contentType: "application/octet-stream",
    verify: "off",
    plan: { kind: "stepped", partBytes: 8 * 1024 * 1024, expectedMaxBytes: 0, maxParts: 10_000 },
    owner: deps.worker.id,
    nowUtc: isoNow(deps.clock),
    facts: { size: 0, inode: "0", device: "0", mtimeNs: "0", ctimeNs: "0" },
  });
  const known = patched(record, { s3_key: ref.key, s3_upload_id: ref.uploadId, status: "processing" });
  const held = new OwnedStream(known, [], { ...deps, checkpoints: NOWHERE }, signal);
  return salvageContext(held, { ...deps, completed: { ...deps.completed, entry: () => undefined } }, signal);
}

const NOWHERE: CheckpointStore = {
  open: () => Promise.resolve({ kind: "opened" }),
  write: () => Promise.resolve({ kind: "written" }),
  rename: () => Promise.resolve({ kind: "written" }),
  writeBack: () => Promise.resolve({ kind: "kept" }),
  claim: () => Promise.resolve([]),
  release: () => Promise.resolve(),
  parts: () => Promise.resolve(new Map()),
};

async function make(context: ObjectContext, { ref, youngestMs }: UploadSalvage): Promise<Salvaged> {
  const { deps, store, signal, held } = context;
  const doubts = new ConditionDoubts(context);
  for (let attempt = 1; attempt <= SALVAGE_ATTEMPTS; attempt += 1) {
    const listing = await store.ask("ListParts", () => deps.store.listParts(ref), signal);
    const head = await headObject(context, ref);
    if (head.kind === "found" && attempt === 1)
      return refused(`${whose(head.object)} exists at ${ref.key} already: the upload is kept`);
    if (listing.kind === "gone") return refused("S3 does not know this upload, or no longer");
    const lately = youngest(listing.parts, deps.clock.wallMs() + deps.store.clockSkewMs);
    if (attempt === 1 && lately !== undefined && lately < youngestMs)
      return refused(
        `a part of it went up ${Math.round(lately / 1_000)} s ago: its sender may still be at work`,
      );
    const run = salvageRun(listing.parts);
    if (run.parts.length === 0) return refused("there is nothing to salvage: its first part is not in S3");
    const facts = { ...sealedFacts(held.record), size: run.bytes };
    const completed = await completeUpload(context, facts, attempt > 1, doubts, run.parts);
    switch (completed.kind) {
      case "assembled":
        return await describe(context, ref, run.parts, completed);
      case "fenced":
        return { kind: "pending" };
      case "mismatch":
        return refused(completed.detail);
      case "name_taken":
        return refused(`another object exists at ${completed.key}: the upload is kept`);
      case "upload_gone":
        return refused("S3 does not know this upload, or no longer");
      case "repair":
      case "again":
        await deps.clock.sleep(backoffMs(attempt, deps.random()), signal);
    }
  }
  return refused("the store did not complete the upload with the parts that it lists");
}

function whose({ metadata }: StoredObject): string {
  const id = metadata[STREAM_ID_HEADER];
  return id === undefined ? "an object of another program" : `the object of stream ${id}`;
}

function youngest(parts: readonly { LastModified?: string }[], nowMs: number): number | undefined {
  const ages = parts.flatMap(({ LastModified: at }) => (at === undefined ? [] : [nowMs - Date.parse(at)]));
  return ages.length === 0 ? undefined : Math.min(...ages);
}

/** Under the object's own ids, so that the file's next generation knows both for its own. */
async function describe(
  context: ObjectContext,
  ref: UploadRef,
  parts: readonly Part[],
  { etag, crc32 }: { etag: string; crc32: string | undefined },
): Promise<Salvaged> {
  const { deps, store, signal, held } = context;
  const head = await headObject(context, ref);
  const ids = head.kind === "found" ? head.object.metadata : {};
  const bytes = parts.reduce((sum, part) => sum + part.Size, 0);
  const record = patched(
    { ...held.record, id: (ids[STREAM_ID_HEADER] ?? held.record.id) as typeof held.record.id },
    {
      file_size: bytes,
      etag,
      crc32: crc32 ?? null,
      completed_by: "salvage",
      verify_result: "not compared with its file",
      sealed_by: deps.worker.id,
      sealed_version: deps.worker.version,
      sealed_at_utc: isoNow(deps.clock),
    },
  );
  const body = metadataBytes(record, new Map(parts.map((part) => [part.PartNumber, part])));
  const name = { bucket: ref.bucket, key: metadataKey(ref.key) };
  const put = {
    body,
    crc: deps.digests.crc32(body),
    contentType: METADATA_CONTENT_TYPE,
    metadata: {
      [STREAM_ID_HEADER]: record.id,
      [FILE_HEADER]: ids[FILE_HEADER] ?? "unknown",
      [PATH_HEADER]: "unknown",
    },
    condition: deps.store.profile.conditionalPut ? ({ ifNoneMatch: true } as const) : undefined,
  };
  const stored = await store.ask("PutObject", () => deps.store.put(name, put), signal);
  const beside =
    stored.kind === "stored" ? "" : `; ${name.key} is taken, so nothing beside it says that it is partial`;
  return {
    kind: "salvaged",
    detail: `${ref.key} holds the first ${formatBytes(bytes)} of the file${beside}`,
  };
}
