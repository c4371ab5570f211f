/**
 * Writes realistic streams into a Redis through redis-schema, so that the dashboard can be looked at and measured without
 * a worker. `node apps/web/scripts/seed.ts --redis redis://127.0.0.1:6379 --streams 400 --parts 10000`
 */
import { parseArgs } from "node:util";
import { FAILURE_REASONS, failed, streamId, type Part, type StreamRecord } from "@sluice/core";
import { MIB, formatPlan, partBytes, partOffset } from "@sluice/core/parts/part-plan";
import { closeClient, createClient, whenReady } from "@sluice/redis-schema/connection";
import type { SchemaContext } from "@sluice/redis-schema/context";
import { keysWith } from "@sluice/redis-schema/keys";
import { OrphanStore } from "@sluice/redis-schema/orphan-store";
import { parseRedisUrl } from "@sluice/redis-schema/redis-url";
import { StreamStore } from "@sluice/redis-schema/stream-store";
import { WorkerRegistry } from "@sluice/redis-schema/worker-registry";

export interface SeedOptions {
  redisUrl: string;
  keyPrefix?: string;
  /** Streams in all. */
  streams: number;
  /** Parts of one large growing stream; 0: none. */
  parts?: number;
  /** Number of the first: another one writes other streams. */
  from?: number;
  /** Only failed streams. */
  onlyFailed?: boolean;
  /** Renewals of the worker's lease go on until this is called back. */
  keepWorker?: AbortSignal;
}

const PLAN = { kind: "stepped", partBytes: 8 * MIB } as const;
const AT_ONCE = 400;
const WATCHES = ["camera-east", "camera-west", "captures"] as const;
const NAMES = ["studio", "gate", "yard", "roof", "lab", "hall"] as const;

export async function seed(options: SeedOptions): Promise<string[]> {
  const url = parseRedisUrl(options.redisUrl);
  if (!url.ok) throw new Error(url.detail);
  const redis = createClient(url.target, { name: "sluice-seed" }, (error) => {
    throw error;
  });
  await whenReady(redis);
  const clock = { wallMs: Date.now };
  const context: SchemaContext = { redis, keys: keysWith(options.keyPrefix ?? ""), clock };
  const identity = { workerId: "recorder-01-9464", nonce: `seed-${process.pid}` };
  const registry = new WorkerRegistry(context);
  const renew = () => registry.renew(identity.workerId, lease(identity.nonce));
  await renew();
  const renewing = setInterval(() => void renew(), 4_000);
  try {
    const store = new StreamStore(context, identity);
    const ids: string[] = [];
    const first = options.from ?? 0;
    for (let done = 0; done < options.streams; done += AT_ONCE) {
      const length = Math.min(AT_ONCE, options.streams - done);
      const numbers = Array.from({ length }, (_, at) => first + done + at);
      ids.push(...(await Promise.all(numbers.map((n) => writeOne(store, sample(n, options), n)))));
    }
    if (options.parts) ids.push(await writeOne(store, large(options.parts), options.streams));
    if (!options.onlyFailed) await writeOrphans(context);
    if (options.keepWorker) await once(options.keepWorker);
    return ids;
  } finally {
    clearInterval(renewing);
    await closeClient(redis);
  }
}

interface Sample {
  record: StreamRecord;
  /** The state it ends in; a failure keeps what it had. */
  status: StreamRecord["status"];
  parts: Part[];
  log: string[];
}

async function writeOne(
  store: StreamStore,
  { record, status, parts, log }: Sample,
  n: number,
): Promise<string> {
  const opened = await store.open({ record: { ...record, status: "opening" }, log: ["found in its watch"] });
  if (opened.kind !== "opened") throw new Error(`seed stream ${n} was not opened: ${opened.kind}`);
  const { id, fence, revision, owner, ...fields } = record;
  const written = await store.write(
    { ...record, status: "opening", revision: 0 },
    {
      from: ["opening"],
      patch: { ...fields, status },
      parts,
      log,
      event: { type: "state", detail: status },
      stats: { parts: parts.length, bytes_sent: record.bytes_sent, bytes_in: record.file_size },
    },
  );
  if (written.kind !== "written")
    throw new Error(`seed stream ${n} was not written: ${JSON.stringify(written)}`);
  return id;
}

/** Every seventh fails, some are pending, some grow, most are complete. */
function sample(n: number, options: SeedOptions): Sample {
  const kind =
    options.onlyFailed || n % 7 === 3
      ? "failed"
      : n % 10 === 0
        ? "processing"
        : n % 23 === 1
          ? "pending_completion"
          : "completed";
  const partCount = kind === "completed" && n % 3 === 0 ? 0 : 1 + (n % 5);
  const startedAt = Date.now() - (n + 1) * 61_000;
  const watch = WATCHES[n % WATCHES.length] ?? WATCHES[0];
  const name = NAMES[n % NAMES.length] ?? NAMES[0];
  const stamp = new Date(startedAt).toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  const relative = `${name}/${stamp}-${String(n).padStart(6, "0")}.mkv`;
  const parts = partsOf(partCount, n);
  const sent = parts.reduce((sum, part) => sum + part.Size, 0);
  const tail = kind === "completed" ? 0 : (n * 977_531) % (6 * MIB);
  const fileSize = partCount === 0 ? 1 + ((n * 48_271) % (3 * MIB)) : sent + tail;
  const reason = FAILURE_REASONS[n % FAILURE_REASONS.length] ?? "file_missing";
  const base = record(n, startedAt, watch, relative, parts, fileSize);
  if (kind === "failed") {
    const failedRecord: StreamRecord = {
      ...base,
      failure_reason: reason,
      failure_detail: `${relative}: ${reason.replaceAll("_", " ")}`,
    };
    if (reason === "file_replaced" || reason === "file_truncated")
      failedRecord.superseded_by = ulid(startedAt + 1, n);
    return { record: failedRecord, status: failed(reason), parts, log: [`failed: ${reason}`] };
  }
  if (kind === "completed") {
    const done: StreamRecord = {
      ...base,
      completed_at_utc: new Date(startedAt + 60_000).toISOString(),
      completed_by: "idle",
      etag: `${hex(n, 32)}-${Math.max(1, parts.length)}`,
      crc32: "AAAAAA==",
      verify_result: "identical",
      sealed_by: "recorder-01-9464",
      sealed_at_utc: new Date(startedAt + 59_000).toISOString(),
    };
    return {
      record: done,
      status: "completed",
      parts,
      log: ["quiet for 30 s: judged complete", "verified: identical", "completed"],
    };
  }
  const waiting =
    kind === "processing" ? { for: "growth" } : { for: "verify", part: 1, of: Math.max(1, parts.length) };
  return {
    record: { ...base, waiting_for: JSON.stringify(waiting) },
    status: kind,
    parts,
    log: ["upload created", `${parts.length} parts acknowledged`],
  };
}

function large(count: number): Sample {
  const startedAt = Date.now() - 6 * 3_600_000;
  const acknowledged = Math.max(0, count - 40);
  const parts = partsOf(acknowledged, 7);
  const fileSize = partOffset(PLAN, Math.min(count, 10_000)) + 3 * MIB;
  return {
    record: {
      ...record(9_999_999, startedAt, "captures", "spectrum/long-capture.raw", parts, fileSize),
      waiting_for: JSON.stringify({ for: "parts", count: 4 }),
    },
    status: "processing",
    parts,
    log: ["upload created"],
  };
}

function record(
  n: number,
  startedAt: number,
  watch: string,
  relative: string,
  parts: readonly Part[],
  fileSize: number,
): StreamRecord {
  const key = `recordings/${watch}/${relative}`;
  return {
    id: streamId(ulid(startedAt, n)),
    original_path: `/srv/${watch}/${relative}`,
    source: "recorder-01",
    watch,
    s3_bucket: "recordings",
    s3_key_prefix: `recordings/${watch}/`,
    s3_key: key,
    ...(parts.length > 0 ? { s3_upload_id: `2~${hex(n * 31, 40)}` } : {}),
    status: "opening",
    next_part: parts.length + 1,
    bytes_sent: parts.reduce((sum, part) => sum + part.Size, 0),
    part_plan: formatPlan(PLAN),
    file_size: fileSize,
    file_inode: String(1_000_000 + n),
    file_birthtime_ns: `${startedAt}000000`,
    file_device: "2049",
    file_mtime_ns: `${startedAt + 50_000}000000`,
    started_at_utc: new Date(startedAt).toISOString(),
    last_activity_at_utc: new Date(startedAt + 55_000).toISOString(),
    fence: 1,
    revision: 0,
    content_type: "video/x-matroska",
    longest_pause_ms: 900,
    verify_mode: "full",
    schema_version: 1,
  };
}

function partsOf(count: number, salt: number): Part[] {
  return Array.from({ length: count }, (_, at): Part => {
    const n = at + 1;
    return {
      PartNumber: n,
      ETag: hex(salt * 7_919 + n, 32),
      Size: partBytes(PLAN, n),
      Offset: partOffset(PLAN, n),
      ChecksumCRC32: Buffer.from(hex(salt + n, 8), "hex").toString("base64"),
      UploadedAt: new Date(Date.now() - (count - at) * 1_500).toISOString(),
      Attempts: (salt + n) % 97 === 0 ? 2 : 1,
      DurationMs: 180 + ((salt + n) % 700),
    };
  });
}

async function writeOrphans(context: SchemaContext): Promise<void> {
  const at = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
  const upload = (n: number, verdict: "ours" | "foreign" | "unknown", because: string) => ({
    s3_upload_id: `2~orphan${hex(n, 24)}`,
    s3_bucket: "recordings",
    s3_key: `recordings/captures/left-over-${n}.mkv`,
    verdict,
    because,
    initiated_at_utc: at(30 + n),
    parts: 3 + n,
    bytes: (3 + n) * 8 * MIB,
    last_seen_at_utc: at(0),
  });
  await new OrphanStore(context).replaceScan("recordings", "recordings/", [
    upload(1, "ours", "its key is a stream's key and it began after that stream"),
    upload(2, "ours", "its id stands in Redis"),
    upload(3, "foreign", "no stream and no file maps to its key"),
    upload(4, "unknown", "its key maps to a file, but its parts differ from the file's bytes"),
  ]);
}

function lease(nonce: string) {
  const now = new Date().toISOString();
  return {
    nonce,
    boot_id: "seed",
    pid_namespace: "seed",
    host: "recorder-01",
    pid: process.pid,
    process_started: "0",
    version: "0.1.0",
    source: "recorder-01",
    watches: [...WATCHES],
    state: "ok" as const,
    lag_bytes: 48 * MIB,
    in_flight_bytes: 32 * MIB,
    oldest_unshipped_at_utc: new Date(Date.now() - 14_000).toISOString(),
    started_at_utc: now,
    renewed_at_utc: now,
  };
}

const CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz";

/** A ULID whose random half is a number: the same seed writes the same ids. */
function ulid(ms: number, n: number): string {
  let time = "";
  for (let left = ms, at = 0; at < 10; at += 1, left = Math.floor(left / 32))
    time = (CROCKFORD[left % 32] ?? "0") + time;
  let rest = "";
  for (let left = n, at = 0; at < 16; at += 1, left = Math.floor(left / 32))
    rest = (CROCKFORD[left % 32] ?? "0") + rest;
  return time + rest;
}

/** Digits that look drawn at random and are not. */
function hex(n: number, length: number): string {
  let text = "";
  for (let at = 0, state = (n + 1) >>> 0; text.length < length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223 + at) >>> 0;
    text += state.toString(16).padStart(8, "0");
  }
  return text.slice(0, length);
}

function once(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      redis: { type: "string", default: process.env.SLUICE_REDIS_URL ?? "redis://127.0.0.1:6379" },
      prefix: { type: "string", default: process.env.SLUICE_KEY_PREFIX ?? "" },
      streams: { type: "string", default: "400" },
      parts: { type: "string", default: "0" },
      stay: { type: "boolean", default: false },
    },
  });
  const end = new AbortController();
  process.once("SIGINT", () => end.abort());
  process.once("SIGTERM", () => end.abort());
  const ids = await seed({
    redisUrl: values.redis,
    keyPrefix: values.prefix,
    streams: Number(values.streams),
    parts: Number(values.parts),
    ...(values.stay ? { keepWorker: end.signal } : {}),
  });
  console.log(`wrote ${ids.length} streams`);
}
