/**
 * Clean-up of records. Needs no worker, because a failed stream has no owner. Only exactly what was read is removed;
 * streams that changed meanwhile are kept and reported. Uploads are put on a list for a worker, or kept, as chosen.
 */
import {
  displayPath,
  INDEX_OF,
  kindOf,
  sourceStateOfFailed,
  streamId,
  takenKeys,
  type StreamId,
} from "@sluice/core";
import type { SchemaContext } from "./context.ts";
import { KEPT } from "./kept.ts";
import type { IgnoredEntry } from "./records/file-entries.ts";
import { FAILED_STATUSES } from "./records/stream-record.ts";
import { pathField, toArg, type Arg, type RawHash } from "./records/text.ts";
import type { Orphan, UploadToAbort } from "./records/upload-entries.ts";
import { callRedis, replyName, replyText } from "./replies.ts";
import { runScript, SCRIPTS } from "./scripts.ts";
import { indexPlace, list, statusesOf } from "./stream-change.ts";
import { loadStreams, type LoadedStream } from "./stream-loader.ts";

export interface PurgeRequest {
  who: string;
  reason?: string;
  /** What happens to the stream's open upload. */
  upload: "abort" | "keep";
  /** Leaves a mark in `files:ignored`, so that the unchanged file is not found again. */
  ignoreFile: boolean;
}

export type PurgeOutcome = { readonly id: StreamId } & (
  | { kind: "purged"; upload: "to_abort" | "kept" | "none" }
  /** It no longer exists. */
  | { kind: "absent" }
  /** It is not in a failed state. */
  | { kind: "refused"; status: string }
  /** It changed between reading and purging: make a new plan. */
  | { kind: "changed" }
);

export type PurgeProspect = Pick<LoadedStream, "id" | "raw">;

/** Reads, then purges, each stream by itself: a refused one never stops the others. */
export async function purgeStreams(
  context: SchemaContext,
  ids: readonly string[],
  request: PurgeRequest,
): Promise<PurgeOutcome[]> {
  const outcomes: PurgeOutcome[] = [];
  for await (const loaded of loadStreams(context, ids, { parts: false })) {
    outcomes.push(...(await Promise.all(loaded.map((stream) => purgeStream(context, stream, request)))));
  }
  return outcomes;
}

/** Purges the stream exactly as it was read. */
export async function purgeStream(
  { redis, keys, clock }: SchemaContext,
  { id, raw }: PurgeProspect,
  request: PurgeRequest,
): Promise<PurgeOutcome> {
  const now = clock.wallMs();
  const { original_path: path, source, s3_upload_id: upload, status = "" } = raw;
  const aborts = upload !== undefined && upload !== "" && request.upload === "abort";
  const failed = [...FAILED_STATUSES, ...(kindOf(status) === "failed" ? [status] : [])];
  const field = path !== undefined && source !== undefined ? toArg(pathField(source, path)) : "";
  const at_utc = new Date(now).toISOString();
  const reply = await runScript(
    redis,
    SCRIPTS.purgeStream,
    [
      keys.ofStream(id),
      keys.indexes,
      [keys.byPath, keys.byKey, keys.uploadsToAbort, keys.filesIgnored, keys.orphans, keys.events],
    ],
    [
      [id, now, KEPT.events, indexPlace(INDEX_OF.failed), status, raw["fence"] ?? "", raw["revision"] ?? ""],
      list(failed),
      field,
      list(keyFields(raw).map(toArg)),
      aborts ? [toArg(upload), JSON.stringify(uploadEntry(id, raw, upload, request, at_utc))] : ["", ""],
      upload && !aborts ? keptEntry(id, raw, upload, at_utc) : ["", ""],
      request.ignoreFile && field !== "" ? JSON.stringify(ignoredMark(id, raw, request, at_utc)) : "",
      request.reason ?? "purged",
      request.who,
    ],
  );
  const name = replyName(reply, ["purged", "absent", "refused", "changed"]);
  if (name === "refused") return { id: streamId(id), kind: name, status: replyText(reply, 1) };
  if (name !== "purged") return { id: streamId(id), kind: name };
  return { id: streamId(id), kind: name, upload: aborts ? "to_abort" : upload ? "kept" : "none" };
}

function keyFields({ s3_bucket, s3_key, s3_metadata_key }: RawHash): string[] {
  return s3_bucket ? takenKeys({ s3_bucket, s3_key, s3_metadata_key: s3_metadata_key || undefined }) : [];
}

function uploadEntry(
  id: string,
  raw: RawHash,
  upload: string,
  request: PurgeRequest,
  at_utc: string,
): UploadToAbort {
  const { s3_bucket = "", s3_key, s3_key_prefix, source } = raw;
  return {
    s3_upload_id: upload,
    s3_bucket,
    ...(s3_key ? { s3_key } : {}),
    ...(s3_key_prefix === undefined ? {} : { s3_key_prefix }),
    stream_id: id,
    ...(source === undefined ? {} : { source }),
    who: request.who,
    at_utc,
  };
}

/** What is kept is listed at once, and not only by the next scan. Without a key nobody could find it again. */
function keptEntry(id: string, raw: RawHash, upload: string, at_utc: string): [Arg, string] {
  const { s3_bucket, s3_key, original_path: path, bytes_sent, next_part } = raw;
  const { create_intent_at_utc: began, upload_aborts_at_utc: ends } = raw;
  if (!s3_bucket || !s3_key) return ["", ""];
  const state = sourceStateOfFailed(raw);
  const because = state === "present" ? "a purge kept it" : `a purge kept it, and its file is ${state}`;
  const entry: Orphan = {
    s3_upload_id: upload,
    s3_bucket,
    s3_key,
    verdict: state === "present" ? "ours" : "only_copy",
    because: `${because} (stream ${id})`,
    ...(isTime(began) ? { initiated_at_utc: began } : {}),
    ...(isTime(ends) ? { upload_aborts_at_utc: ends } : {}),
    ...(path === undefined ? {} : { original_path: displayPath(path) }),
    ...(/^\d{1,5}$/.test(next_part ?? "") && Number(next_part) > 0 ? { parts: Number(next_part) - 1 } : {}),
    ...(/^\d{1,15}$/.test(bytes_sent ?? "") ? { bytes: Number(bytes_sent) } : {}),
    first_seen_at_utc: at_utc,
    last_seen_at_utc: at_utc,
  };
  return [toArg(upload), JSON.stringify(entry)];
}

function isTime(text: string | undefined): text is string {
  return text !== undefined && !Number.isNaN(Date.parse(text));
}

/** Values that are not numbers are left out: the mark then matches any. */
function ignoredMark(id: string, raw: RawHash, request: PurgeRequest, at_utc: string): IgnoredEntry {
  const mark: IgnoredEntry = { stream_id: id, who: request.who, at_utc };
  for (const field of ["file_inode", "file_birthtime_ns", "file_mtime_ns"] as const) {
    const value = raw[field];
    if (value !== undefined && /^-?\d+$/.test(value)) mark[field] = value;
  }
  const size = raw["file_size"];
  if (size !== undefined && /^\d{1,15}$/.test(size)) mark.file_size = Number(size);
  if (request.reason !== undefined) mark.reason = request.reason;
  return mark;
}

/** `absent`: it no longer exists. `kept`: it is not completed, or it entered later. */
const PRUNE_OUTCOMES = ["pruned", "absent", "kept"] as const;
export type PruneOutcome = (typeof PRUNE_OUTCOMES)[number];

/** The records of exactly these completed streams, each only if it entered before `cutoffMs` (ms since 1970). */
export async function pruneStreams(
  { redis, keys, clock }: SchemaContext,
  ids: readonly string[],
  cutoffMs: number,
): Promise<PruneOutcome[]> {
  return Promise.all(
    ids.map(async (id): Promise<PruneOutcome> => {
      const reply = await runScript(
        redis,
        SCRIPTS.pruneHistory,
        [keys.ofStream(id), keys.indexes, keys.events],
        [
          [id, clock.wallMs(), KEPT.events, indexPlace(INDEX_OF.completed), cutoffMs],
          list(statusesOf(["completed"])),
          "history expired",
        ],
      );
      return replyName(reply, PRUNE_OUTCOMES);
    }),
  );
}

/** Completed streams that entered before `cutoffMs`, oldest first, at most `limit`; returns how many were removed. */
export async function pruneHistory(context: SchemaContext, cutoffMs: number, limit: number): Promise<number> {
  const { redis, keys } = context;
  const ids = await callRedis("read an index", () =>
    redis.zrangebyscore(keys.index("completed"), "-inf", cutoffMs, "LIMIT", 0, limit),
  );
  const outcomes = await pruneStreams(context, ids, cutoffMs);
  return outcomes.filter((outcome) => outcome === "pruned").length;
}
