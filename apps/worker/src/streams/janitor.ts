/**
 * Clean-up that needs no operator: expired history, uploads left by a purge, and uploads of streams that are set apart,
 * after their retention. Anything whose owner is in doubt is left alone. Suspended while Redis is being rebuilt from
 * S3.
 */
import {
  CheckpointError,
  deletionTime,
  StoreError,
  streamId,
  type Clock,
  type ObjectStore,
  type StreamRecord,
  uploadEndsAtMs,
} from "@sluice/core";
import {
  indexedIds,
  loadStreams,
  pruneHistory,
  redisTimeMs,
  type OrphanStore,
  type SchemaContext,
  type StreamStore,
  type UploadToAbort,
} from "@sluice/redis-schema";
import { endingUploads, type EndingUpload } from "@sluice/control/ending-uploads";
import { trouble } from "@sluice/control/troubles";
import type { Held } from "./processor-pool.ts";

export interface JanitorDeps {
  context: SchemaContext;
  store: ObjectStore;
  orphans: OrphanStore;
  streams: Pick<StreamStore, "claimFailed" | "write" | "release">;
  /** While it is held, nothing else in this worker claims the stream. */
  hold(id: string): Held;
  workerId: string;
  bucket: string;
  /** `bucket`, and the old ones it may still clean up; absent: only `bucket`. */
  buckets?: readonly string[];
  historyMs: number;
  failedUploadRetentionMs: number;
  clock: Pick<Clock, "wallMs">;
  /** Our clock, unaffected by changes to it since the start (ms since 1970). */
  steadyMs(): number;
  /**
   * Checks that Redis is the same as before: a Redis that was restored from an older state must not cause a deletion.
   */
  confirmRedis(): Promise<void>;
  locked: () => boolean;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** Completed streams removed in one round. */
const PRUNE_AT_ONCE = 1_000;

/** One round. It ends if the store or Redis does not answer; the next round continues. */
export async function tidyUp(deps: JanitorDeps): Promise<void> {
  if (deps.locked()) return;
  try {
    await deps.confirmRedis();
    if (deps.locked()) return;
    const nowMs = await dueUntilMs(deps);
    await pruneHistory(deps.context, nowMs - deps.historyMs, PRUNE_AT_ONCE);
    await leaveSupersededUploads(deps, nowMs);
    await abortLeftUploads(deps);
  } catch (error) {
    if (!(error instanceof CheckpointError) && !(error instanceof StoreError)) throw error;
    deps.log.warn({ err: error.message }, "the janitor stopped early; it continues later");
  }
}

/** The time up to which work is due on all clocks. */
async function dueUntilMs({ context, store, clock, steadyMs, log }: JanitorDeps): Promise<number> {
  const wallMs = clock.wallMs();
  const others = {
    "that of Redis": await redisTimeMs(context.redis),
    "the store's": wallMs + store.clockSkewMs,
  };
  const { nowMs, disagree } = deletionTime({ steadyMs: steadyMs(), wallMs, others });
  if (disagree !== undefined) log.warn({}, `${disagree}; nothing is deleted before it is due by the slowest`);
  return nowMs;
}

/** Aborts the uploads on `uploads:to_abort`; one that cannot be aborted never stops the others. */
export async function abortLeftUploads(deps: JanitorDeps): Promise<void> {
  for (const upload of await deps.orphans.toAbort()) {
    if (!(deps.buckets ?? [deps.bucket]).includes(upload.s3_bucket)) continue;
    const key = upload.s3_key ?? (await keyOfUpload(deps, upload));
    if (key !== undefined) await abortLeftUpload(deps, { ...upload, s3_key: key });
  }
}

type AbortDeps = Pick<JanitorDeps, "store" | "orphans" | "streams" | "hold" | "log">;

async function abortLeftUpload(deps: AbortDeps, upload: UploadToAbort & { s3_key: string }): Promise<void> {
  const { s3_bucket: bucket, s3_key: key, s3_upload_id: uploadId, stream_id: id } = upload;
  try {
    await deps.store.abort({ bucket, key, uploadId });
    if (id !== undefined) await forgetUpload(deps, id, uploadId);
    await deps.orphans.aborted([uploadId]);
    await deps.orphans.removeOrphans([uploadId]);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    deps.log.warn(
      { upload_id: uploadId, err: error.message, ...trouble("upload_not_aborted") },
      "an upload could not be aborted; it stays on the list",
    );
  }
}

/**
 * The record of a failed stream no longer names an upload that was aborted: nothing counts its bytes as a copy, and no
 * later round aborts it again. If somebody works on the stream now, the next round finds the record as it is.
 */
async function forgetUpload(
  { streams, hold }: Pick<AbortDeps, "streams" | "hold">,
  id: string,
  uploadId: string,
): Promise<void> {
  using held = hold(id);
  if (!held.has(id)) return;
  const claim = await streams.claimFailed(streamId(id));
  if (claim.kind !== "claimed") return;
  const { parsed, fence } = claim;
  if (parsed.kind === "record" && parsed.record.s3_upload_id === uploadId) {
    await streams.write(parsed.record, {
      from: ["failed"],
      dropParts: true,
      patch: WITHOUT_UPLOAD,
      log: ["its upload was aborted"],
      event: { type: "log", detail: "upload aborted" },
    });
  }
  await streams.release({ id: claim.id, fence });
}

const WITHOUT_UPLOAD = {
  s3_upload_id: null,
  create_intent_at_utc: null,
  upload_aborts_at_utc: null,
  next_part: 1,
  bytes_sent: 0,
  protected_bytes: null,
  protected_at_utc: null,
} as const;

/**
 * Discards an upload that is no longer needed: it is put on the list first, then aborted at once if the store answers.
 * Callers wait only a moment for a store that does not answer; the next round aborts it then.
 */
export async function discardUpload(
  deps: AbortDeps,
  upload: UploadToAbort & { s3_key: string },
  moment: () => Promise<void>,
): Promise<void> {
  await deps.orphans.leaveToAbort(upload);
  const aborting = abortLeftUpload(deps, upload).catch((error: unknown) => {
    if (!(error instanceof CheckpointError)) throw error;
  });
  await Promise.race([aborting, moment()]);
}

/** Records of an early version have no key: the store's list of uploads has it. */
async function keyOfUpload(deps: JanitorDeps, upload: UploadToAbort): Promise<string | undefined> {
  for await (const open of deps.store.listUploads(upload.s3_bucket, upload.s3_key_prefix ?? "")) {
    if (open.uploadId === upload.s3_upload_id) return open.key;
  }
  await deps.orphans.aborted([upload.s3_upload_id]);
  return undefined;
}

/** By upload id: said once by this process. */
const announced = new Set<string>();

/** In the log of each worker: until then the bytes can be salvaged. */
function announce(
  { log }: Pick<JanitorDeps, "log">,
  { uploadId, streamId: id, key, bytes, endsAt, by }: EndingUpload,
  nowMs: number,
): void {
  if (announced.has(uploadId)) return;
  announced.add(uploadId);
  const ends = { ends_in_s: Math.round((endsAt - nowMs) / 1_000), by };
  log.warn({ ...(id && { stream_id: id }), upload_id: uploadId, key, bytes, ...ends }, ENDS_SOON);
}

const ENDS_SOON = "an upload that is the only copy of its bytes ends soon; until then it can be salvaged";

/** Of failed streams, and of those that a purge kept. */
async function announceEndings(
  deps: JanitorDeps,
  failed: readonly StreamRecord[],
  nowMs: number,
): Promise<void> {
  const rows = failed.map((record) => ({ ...record, kind: "failed" as const }));
  const orphans = await deps.orphans.orphans();
  for (const ending of endingUploads({ rows, orphans }, deps.failedUploadRetentionMs, nowMs))
    announce(deps, ending, nowMs);
}

/**
 * Only streams that are set apart lose their upload after a time; every other failed stream keeps it until it is purged
 * or aborted.
 */
async function leaveSupersededUploads(deps: JanitorDeps, nowMs: number): Promise<void> {
  const { context, orphans, failedUploadRetentionMs: retentionMs, workerId } = deps;
  const failedIds = await indexedIds(context, "failed");
  const withUpload: StreamRecord[] = [];
  for await (const chunk of loadStreams(context, failedIds, { parts: false })) {
    for (const { parsed } of chunk) {
      if (parsed.kind !== "record") continue;
      const { record } = parsed;
      const { s3_upload_id, s3_bucket, s3_key } = record;
      if (s3_upload_id !== undefined) withUpload.push(record);
      const endsAtMs = uploadEndsAtMs(record, retentionMs);
      if (endsAtMs === undefined || s3_upload_id === undefined) continue;
      if (endsAtMs > nowMs || s3_key === undefined) continue;
      await orphans.leaveToAbort({
        s3_upload_id,
        s3_bucket,
        s3_key,
        stream_id: record.id,
        source: record.source,
        who: workerId,
        at_utc: new Date(deps.clock.wallMs()).toISOString(),
      });
    }
  }
  await announceEndings(deps, withUpload, nowMs);
}
