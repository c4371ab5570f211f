/** Looks for open uploads no stream owns, says whose each is, and keeps the list for the dashboard. Aborts nothing. */
import { judgeUpload, kindOf, type ObjectStore, type OpenUpload } from "@sluice/core";
import { loadStreams, type Orphan, type OrphanStore, type SchemaContext } from "@sluice/redis-schema";

export interface ScanDeps {
  context: SchemaContext;
  store: ObjectStore;
  orphans: OrphanStore;
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
  const known = await ownedUploads(deps);
  const held = deps.held();
  const purged = new Set((await orphans.toAbort()).map((entry) => entry.s3_upload_id));
  const found: Omit<Orphan, "first_seen_at_utc">[] = [];
  for (const upload of open) {
    if (known.uploadIds.has(upload.uploadId) || held.has(upload.uploadId)) continue;
    found.push(await describe(deps, upload, known.startedByKey, purged));
  }
  await orphans.replaceScan(bucket, prefix, found);
  return {
    open: open.length,
    orphans: found.length,
    bytes: found.reduce((sum, one) => sum + (one.bytes ?? 0), 0),
  };
}

/** Upload ids that streams hold, and when the stream that holds a key began. */
async function ownedUploads({ context }: ScanDeps) {
  const uploadIds = new Set<string>();
  const startedByKey = new Map<string, string>();
  const ids = await Promise.all(context.keys.indexes.map((key) => context.redis.zrange(key, "0", "-1")));
  for await (const chunk of loadStreams(context, ids.flat(), { parts: false })) {
    for (const { raw } of chunk) {
      if (raw["s3_upload_id"]) uploadIds.add(raw["s3_upload_id"]);
      const live = kindOf(raw["status"] ?? "processing") !== "completed";
      if (live && raw["s3_key"] && raw["started_at_utc"])
        startedByKey.set(raw["s3_key"], raw["started_at_utc"]);
    }
  }
  return { uploadIds, startedByKey };
}

async function describe(
  deps: ScanDeps,
  upload: OpenUpload,
  startedByKey: ReadonlyMap<string, string>,
  purged: ReadonlySet<string>,
): Promise<Omit<Orphan, "first_seen_at_utc">> {
  const ref = { bucket: deps.bucket, key: upload.key, uploadId: upload.uploadId };
  const listing = await deps.store.listParts(ref);
  const parts = listing.kind === "alive" ? listing.parts : [];
  const path = await deps.localFile(upload.key);
  const initiated = byOurClock(upload.initiated, deps.store.clockSkewMs);
  const { verdict, because } = judgeUpload({
    initiated,
    keyHolderStartedAt: startedByKey.get(upload.key),
    leftByPurge: purged.has(upload.uploadId),
    redisEmptied: deps.redisEmptied(),
    localFile: path === undefined ? undefined : { path, partsEqual: undefined },
  });
  return {
    s3_upload_id: upload.uploadId,
    s3_bucket: deps.bucket,
    s3_key: upload.key,
    verdict,
    because,
    ...(initiated === undefined ? {} : { initiated_at_utc: initiated }),
    ...(path === undefined ? {} : { original_path: path }),
    parts: parts.length,
    bytes: parts.reduce((sum, part) => sum + part.Size, 0),
    last_seen_at_utc: new Date().toISOString(),
  };
}

function byOurClock(time: string | undefined, skewMs: number): string | undefined {
  return time === undefined ? undefined : new Date(Date.parse(time) - skewMs).toISOString();
}
