/** Looks for open uploads no stream owns, says whose each is, and keeps the list for the dashboard. Aborts nothing. */
import {
  INDEXES,
  isoNow,
  judgeUpload,
  kindOf,
  type Clock,
  type ObjectStore,
  type OpenUpload,
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

export interface ScanDeps {
  context: SchemaContext;
  store: ObjectStore;
  orphans: OrphanStore;
  clock: Pick<Clock, "wallMs">;
  bucket: string;
  /** Only uploads under it are looked at. */
  prefix: string;
  redisEmptied: () => boolean;
  /** Uploads of the streams that run here, whatever Redis says. */
  held(): ReadonlySet<string>;
  /** The path of the watch file a key maps to, when there is one. */
  localFile(key: string): Promise<string | undefined>;
}

export interface ScanReport {
  open: number;
  orphans: number;
  bytes: number;
}

export async function scanOrphans(deps: ScanDeps): Promise<ScanReport> {
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

export interface OwnedUploads {
  /** Ids of uploads that streams hold. */
  uploadIds: ReadonlySet<string>;
  /** When the stream that holds a key began. */
  startedByKey: Pick<ReadonlyMap<string, string>, "get">;
  /** Left by a purge. */
  purged: ReadonlySet<string>;
}

export async function ownedUploads({ context, orphans }: ScanDeps): Promise<OwnedUploads> {
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

/** The record of the stream that holds a key at this moment. */
export async function keyHolder(
  context: SchemaContext,
  bucket: string,
  key: string,
): Promise<RawHash | undefined> {
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
  const { verdict, because, path } = await judge(deps, { key, uploadId, initiated }, owned);
  return {
    s3_upload_id: uploadId,
    s3_bucket: deps.bucket,
    s3_key: key,
    verdict,
    because,
    ...(initiated === undefined ? {} : { initiated_at_utc: initiated }),
    ...(path === undefined ? {} : { original_path: path }),
    parts: parts.length,
    bytes: parts.reduce((sum, part) => sum + part.Size, 0),
    last_seen_at_utc: isoNow(deps.clock),
  };
}

/** `initiated`: by our clock. */
export async function judge(
  deps: ScanDeps,
  upload: { key: string; uploadId: string; initiated: string | undefined },
  owned: OwnedUploads,
) {
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
