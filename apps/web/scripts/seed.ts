/**
 * Writes realistic streams into Redis through redis-schema, so that the dashboard can be viewed and measured without a
 * worker. `node apps/web/scripts/seed.ts --redis redis://127.0.0.1:6379 --streams 400 --parts 10000`
 */
import { parseArgs } from "node:util";
import { MIB } from "@sluice/core/stream/part-plan";
import { closeClient, createClient, whenReady } from "@sluice/redis-schema/connection";
import type { SchemaContext } from "@sluice/redis-schema/context";
import { keysWith } from "@sluice/redis-schema/keys";
import { OrphanStore } from "@sluice/redis-schema/orphan-store";
import { parseRedisUrl } from "@sluice/redis-schema/redis-url";
import { StreamStore } from "@sluice/redis-schema/stream-store";
import { WorkerRegistry } from "@sluice/redis-schema/worker-registry";
import { writeMinutes } from "./seed-minutes.ts";
import { hex, large, sample, WATCHES, type Sample } from "./seed-samples.ts";

export interface SeedOptions {
  redisUrl: string;
  keyPrefix?: string;
  /** Total number of streams. */
  streams: number;
  /** Parts of one large growing stream; 0: none. */
  parts?: number;
  /** Number of the first stream; another number writes other streams. */
  from?: number;
  /** Only failed streams. */
  onlyFailed?: boolean;
  /** A day almost without failures, with an hour of steady uploads in the chart. */
  calm?: boolean;
  /** The worker's lease is renewed until this signal aborts. */
  keepWorker?: AbortSignal;
}

const AT_ONCE = 400;

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
    const mood = options.onlyFailed ? "failed" : options.calm ? "calm" : "mixed";
    for (let done = 0; done < options.streams; done += AT_ONCE) {
      const length = Math.min(AT_ONCE, options.streams - done);
      const numbers = Array.from({ length }, (_, at) => first + done + at);
      ids.push(
        ...(await Promise.all(numbers.map((n) => writeOne(store, sample(n, mood), n, mood !== "calm")))),
      );
    }
    if (options.parts)
      ids.push(await writeOne(store, large(options.parts), options.streams, mood !== "calm"));
    if (mood === "calm") await writeMinutes(context, identity.workerId, "recorder-01");
    if (!options.onlyFailed) await writeOrphans(context);
    if (options.keepWorker) await once(options.keepWorker);
    return ids;
  } finally {
    clearInterval(renewing);
    await closeClient(redis);
  }
}

async function writeOne(
  store: StreamStore,
  { record, status, parts, log }: Sample,
  n: number,
  counted: boolean,
): Promise<string> {
  const opened = await store.open({ record: { ...record, status: "opening" }, log: ["found in its watch"] });
  if (opened.kind !== "opened") throw new Error(`seed stream ${n} was not opened: ${opened.kind}`);
  const { id, fence: _, revision: __, owner: ___, ...fields } = record;
  const written = await store.write(
    { ...record, status: "opening", revision: 0 },
    {
      from: ["opening"],
      patch: { ...fields, status },
      parts,
      log,
      event: { type: "state", detail: status },
      ...(counted
        ? { stats: { parts: parts.length, bytes_sent: record.bytes_sent, bytes_in: record.file_size } }
        : {}),
    },
  );
  if (written.kind !== "written")
    throw new Error(`seed stream ${n} was not written: ${JSON.stringify(written)}`);
  return id;
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
    upload(2, "ours", "its id is in Redis"),
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
