/** Requests about uploads in the bucket: a scan for orphans, and the clean-up of those that a plan named. */
import {
  INDEXES,
  StoreError,
  displayPath,
  isoNow,
  judgeUpload,
  kindOf,
  salvageUpload,
  uploadAbortsAt,
  type Clock,
  type FileSource,
  type ObjectStore,
  type OpenUpload,
  type ProcessorDeps,
  type StoreTrouble,
  type UploadRef,
} from "@sluice/core";
import {
  holderOfKey,
  indexedIds,
  loadStreams,
  type Orphan,
  type OrphanStore,
  type RawHash,
  type SchemaContext,
} from "@sluice/redis-schema";
import { asJson, type AnswerDeps } from "./request-answers.ts";
import { DESTRUCTIVE_MOST_MS, TOO_OLD } from "./request-decisions.ts";
import type { Answer, Task } from "./request-desk.ts";
import type { Watch } from "../files/watch/watch.ts";
import type { JanitorDeps } from "../streams/janitor.ts";

export interface UploadActionDeps extends JanitorDeps {
  clock: Clock;
  prefix: string;
  watches: readonly Watch[];
  held: ScanDeps["held"];
  files: FileSource;
  processing: ProcessorDeps;
  signal: AbortSignal;
}

export function uploadActions(
  deps: UploadActionDeps,
): Pick<AnswerDeps["others"], "scan_orphans" | "abort_uploads" | "salvage_upload"> {
  const scan: ScanDeps = {
    context: deps.context,
    store: deps.store,
    orphans: deps.orphans,
    clock: deps.clock,
    bucket: deps.bucket,
    prefix: deps.prefix,
    redisEmptied: deps.locked,
    held: deps.held,
    localFile: (key) => fileOfKey(deps, key),
  };
  const owned = ownedLately(scan, deps.clock);
  return {
    async scan_orphans({ item }) {
      if (item !== "*" && item !== deps.bucket) return { kind: "pending" };
      return { kind: "done", data: asJson(await scanOrphans(scan)) };
    },
    async abort_uploads(task) {
      const { item: uploadId } = task;
      const known = await deps.orphans.orphan(uploadId);
      if (known !== undefined && known.s3_bucket !== deps.bucket) return { kind: "pending" };
      if (!(await task.turn())) return { kind: "pending" };
      if (!known)
        return {
          kind: "refused",
          detail: "no scan has found this upload: it no longer exists, or a stream owns it",
        };
      if (deps.locked())
        return {
          kind: "refused",
          detail: "Redis is being rebuilt from S3: nothing is aborted until that is finished",
        };
      if ((await task.ageMs()) > DESTRUCTIVE_MOST_MS) return { kind: "refused", detail: TOO_OLD };
      return await abortOrphan(deps, scan, known, await owned(), task);
    },
    async salvage_upload(task) {
      const { key, bucket = deps.bucket } = task.queued.request.options ?? {};
      if (typeof key !== "string" || typeof bucket !== "string")
        return { kind: "refused", detail: "the request does not say under which key the upload was opened" };
      if (!(deps.buckets ?? [deps.bucket]).includes(bucket) || deps.locked() || !(await task.turn()))
        return { kind: "pending" };
      return await salvageOrphan(deps, { bucket, key, uploadId: task.item }, await owned(), task);
    },
  };
}

/** Checked once more right before the abort, by its own key: a stream may have claimed it meanwhile. */
async function abortOrphan(
  deps: UploadActionDeps,
  scan: ScanDeps,
  known: Orphan,
  lately: OwnedUploads,
  task: Task,
): Promise<Answer> {
  const { s3_upload_id: uploadId, s3_bucket: bucket, s3_key: key } = known;
  const forget = (): Promise<void> => deps.orphans.removeOrphans([uploadId]);
  const gone: Answer = {
    kind: "done",
    detail: "it no longer exists, or a stream owns it now",
    afterwards: forget,
  };
  const holder = await keyHolder(deps.context, bucket, key);
  const owned = lately.uploadIds.has(uploadId) || holder?.["s3_upload_id"] === uploadId;
  if (owned || deps.held().has(uploadId)) return gone;
  const startedByKey = { get: (one: string) => holder?.["started_at_utc"] ?? lately.startedByKey.get(one) };
  try {
    const listing = await deps.store.listParts({ bucket, key, uploadId });
    if (listing.kind !== "alive") return gone;
    const upload = { key, uploadId, initiated: known.initiated_at_utc };
    const now = await judge(scan, upload, { ...lately, startedByKey });
    const named = now.verdict === "only_copy" && task.queued.request.options?.["only_copies"] === true;
    if (now.verdict !== "ours" && !named)
      return { kind: "refused", detail: `it is ${now.verdict}: ${now.because}` };
    // The store may have taken long to answer.
    if ((await task.ageMs()) > DESTRUCTIVE_MOST_MS) return { kind: "refused", detail: TOO_OLD };
    await deps.store.abort({ bucket, key, uploadId });
  } catch (error) {
    // The store is unavailable: the abort is tried again later, unless the request is too old by then.
    if (error instanceof StoreError && PASSES.has(error.trouble)) return { kind: "pending" };
    throw error;
  }
  return { kind: "done", afterwards: forget };
}

/** A part sent this recently may be followed by the next: its sender need not be known to this Redis. */
const YOUNG_MS = 2 * 60_000;

/** An upload of which this Redis knows nothing. */
async function salvageOrphan(
  deps: UploadActionDeps,
  ref: UploadRef,
  lately: OwnedUploads,
  task: Task,
): Promise<Answer> {
  const holder = await holderOfKey(deps.context, ref.bucket, ref.key);
  if (holder !== undefined)
    return { kind: "refused", detail: `stream ${holder} has the name ${ref.key}: salvage that stream` };
  if (lately.uploadIds.has(ref.uploadId) || deps.held().has(ref.uploadId))
    return { kind: "refused", detail: "a stream has this upload: salvage that stream" };
  if (lately.purged.has(ref.uploadId))
    return { kind: "refused", detail: "a purge left this upload to be aborted" };
  const known = await deps.orphans.orphan(ref.uploadId);
  const force = task.queued.request.options?.["force"] === true;
  const asked = { ref, path: known?.original_path ?? "", youngestMs: force ? 0 : YOUNG_MS };
  const salvaged = await salvageUpload(asked, deps.processing, deps.signal);
  if (salvaged.kind !== "salvaged") return salvaged;
  return {
    kind: "done",
    detail: salvaged.detail,
    afterwards: () => deps.orphans.removeOrphans([ref.uploadId]),
  };
}

const PASSES: ReadonlySet<StoreTrouble> = new Set([
  "unreachable",
  "failing",
  "throttled",
  "credentials",
  "bucket",
]);

const OWNED_LATELY_MS = 5_000;

/** Reads every record, so consecutive uploads share one reading; the owner of a key is read again for each. */
function ownedLately(scan: ScanDeps, clock: Pick<Clock, "monotonicMs">): () => Promise<OwnedUploads> {
  let latest: Promise<OwnedUploads> | undefined;
  let untilMs = 0;
  return () => {
    if (latest !== undefined && clock.monotonicMs() < untilMs) return latest;
    untilMs = Number.POSITIVE_INFINITY;
    latest = ownedUploads(scan).finally(() => (untilMs = clock.monotonicMs() + OWNED_LATELY_MS));
    // This caller gets the error; the next caller asks again.
    latest.catch(() => (untilMs = 0));
    return latest;
  };
}

/** The file of a watch that maps to this key, if it exists. */
async function fileOfKey(deps: UploadActionDeps, key: string): Promise<string | undefined> {
  for (const watch of deps.watches) {
    if (!key.startsWith(watch.keyPrefix)) continue;
    const path = `${watch.root}/${key.slice(watch.keyPrefix.length)}`;
    if ((await deps.files.look(path)).kind === "file") return displayPath(path);
    const temporary = await deps.files.temporaryOf(path, watch.rules.temporaryNames);
    if (temporary !== undefined) return displayPath(temporary);
  }
  return undefined;
}

interface ScanDeps {
  context: SchemaContext;
  store: ObjectStore;
  orphans: OrphanStore;
  clock: Pick<Clock, "wallMs">;
  bucket: string;
  /** Only uploads with this prefix are checked. */
  prefix: string;
  redisEmptied: () => boolean;
  /** Uploads of the streams that run here, whatever Redis says. */
  held(): ReadonlySet<string>;
  /** The path of the watch file that maps to a key, if there is one. */
  localFile(key: string): Promise<string | undefined>;
}

interface ScanReport {
  open: number;
  orphans: number;
  bytes: number;
}

/**
 * Finds open uploads that no stream owns, decides whose each is, and stores the list for the dashboard. Aborts nothing.
 */
async function scanOrphans(deps: ScanDeps): Promise<ScanReport> {
  const { store, orphans, bucket, prefix } = deps;
  const open: OpenUpload[] = [];
  for await (const upload of store.listUploads(bucket, prefix)) open.push(upload);
  const owned = await ownedUploads(deps);
  const held = deps.held();
  const found: Omit<Orphan, "first_seen_at_utc">[] = [];
  for (const upload of open) {
    if (owned.uploadIds.has(upload.uploadId) || held.has(upload.uploadId)) continue;
    found.push(await describe(deps, upload, owned));
  }
  await orphans.replaceScan(bucket, prefix, found);
  return {
    open: open.length,
    orphans: found.length,
    bytes: found.reduce((sum, one) => sum + (one.bytes ?? 0), 0),
  };
}

interface OwnedUploads {
  /** Ids of uploads that streams own. */
  uploadIds: ReadonlySet<string>;
  /** Start time of the stream that owns a key. */
  startedByKey: Pick<ReadonlyMap<string, string>, "get">;
  /** Uploads left by a purge. */
  purged: ReadonlySet<string>;
}

async function ownedUploads({ context, orphans }: ScanDeps): Promise<OwnedUploads> {
  const uploadIds = new Set<string>();
  const startedByKey = new Map<string, string>();
  const ids = await Promise.all(INDEXES.map((index) => indexedIds(context, index)));
  for await (const chunk of loadStreams(context, ids.flat(), { parts: false })) {
    for (const { raw } of chunk) {
      if (raw["s3_upload_id"]) uploadIds.add(raw["s3_upload_id"]);
      const live = kindOf(raw["status"] ?? "processing") !== "completed";
      if (live && raw["s3_key"] && raw["started_at_utc"])
        startedByKey.set(raw["s3_key"], raw["started_at_utc"]);
    }
  }
  const purged = new Set((await orphans.toAbort()).map((entry) => entry.s3_upload_id));
  return { uploadIds, startedByKey, purged };
}

/** The record of the stream that owns a key now. */
async function keyHolder(context: SchemaContext, bucket: string, key: string): Promise<RawHash | undefined> {
  const id = await holderOfKey(context, bucket, key);
  if (id === undefined) return undefined;
  for await (const [stream] of loadStreams(context, [id], { parts: false })) return stream?.raw;
  return undefined;
}

async function describe(
  deps: ScanDeps,
  upload: OpenUpload,
  owned: OwnedUploads,
): Promise<Omit<Orphan, "first_seen_at_utc">> {
  const { key, uploadId } = upload;
  const listing = await deps.store.listParts({ bucket: deps.bucket, key, uploadId });
  const parts = listing.kind === "alive" ? listing.parts : [];
  const initiated = byOurClock(upload.initiated, deps.store.clockSkewMs);
  const said = listing.kind === "alive" ? listing.abortsAt : undefined;
  const ends = uploadAbortsAt(said, Date.parse(initiated ?? ""), deps.store.profile);
  const { verdict, because, path } = await judge(deps, { key, uploadId, initiated }, owned);
  return {
    s3_upload_id: uploadId,
    s3_bucket: deps.bucket,
    s3_key: key,
    verdict,
    because,
    ...(initiated === undefined ? {} : { initiated_at_utc: initiated }),
    ...(ends === undefined ? {} : { upload_aborts_at_utc: ends }),
    ...(path === undefined ? {} : { original_path: path }),
    parts: parts.length,
    bytes: parts.reduce((sum, part) => sum + part.Size, 0),
    last_seen_at_utc: isoNow(deps.clock),
  };
}

/** `initiated`: by our clock. What a purge kept as the only copy stays that, whatever else is known about it. */
async function judge(
  deps: ScanDeps,
  upload: { key: string; uploadId: string; initiated: string | undefined },
  owned: OwnedUploads,
) {
  const known = await deps.orphans.orphan(upload.uploadId);
  if (known?.verdict === "only_copy" && !owned.purged.has(upload.uploadId))
    return { verdict: known.verdict, because: known.because, path: known.original_path };
  const path = await deps.localFile(upload.key);
  const judgement = judgeUpload({
    initiated: upload.initiated,
    keyHolderStartedAt: owned.startedByKey.get(upload.key),
    leftByPurge: owned.purged.has(upload.uploadId),
    redisEmptied: deps.redisEmptied(),
    localFile: path === undefined ? undefined : { path, partsEqual: undefined },
  });
  return { ...judgement, path };
}

function byOurClock(time: string | undefined, skewMs: number): string | undefined {
  return time === undefined ? undefined : new Date(Date.parse(time) - skewMs).toISOString();
}
