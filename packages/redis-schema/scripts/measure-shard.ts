/**
 * Measures what one Redis shard can handle: the real scripts against a real redis-server on this machine, for
 * docs/reference/scaling.md. Only the server's CPU time is counted, so the figures do not depend on the speed of this client.
 */
import { LIMITS, newRecord, streamId, type StreamRecord } from "@sluice/core";
import { Redis } from "ioredis";
import {
  closeClient,
  createClient,
  keysWith,
  parseInfo,
  parseRedisUrl,
  StreamStore,
  WorkerRegistry,
  whenReady,
  type SchemaContext,
} from "../src/index.ts";
import { workerRecord } from "../test/harness.ts";
import { startRedis } from "../test/redis-server.ts";

const STREAMS = 2_000;
const PARTS = 20;
const MIB = 1024 * 1024;

await using server = await startRedis({ appendonly: true });
const raw = new Redis({ port: server.port });
const target = parseRedisUrl(server.url);
if (!target.ok) throw new Error(target.detail);
const redis = createClient(target.target, { name: "measure" }, () => undefined);
await whenReady(redis);
const context: SchemaContext = { redis, keys: keysWith(""), clock: { wallMs: Date.now } };
const own = { workerId: "w1", nonce: "nonce-1" };
await new WorkerRegistry(context).renew(own.workerId, workerRecord({ nonce: own.nonce }));
const renewal = setInterval(() => {
  new WorkerRegistry(context).renew(own.workerId, workerRecord({ nonce: own.nonce })).catch(console.error);
}, LIMITS.leaseRenewEveryMs);
const store = new StreamStore(context, own);
const path = (at: number) => `/recordings/2026-11-28/camera-${at % 40}/take-${at}.mkv`;

async function facts() {
  const info = parseInfo(await raw.info("all"));
  const cpu = Number(info["used_cpu_user_main_thread"]) + Number(info["used_cpu_sys_main_thread"]);
  return { cpu, memory: Number(info["used_memory"]), calls: Number(info["total_commands_processed"]) };
}

async function measured(what: string, count: number, work: () => Promise<unknown>): Promise<void> {
  const [before, from] = [await facts(), performance.now()];
  await work();
  const [after, seconds] = [await facts(), (performance.now() - from) / 1_000];
  const cpuUs = ((after.cpu - before.cpu) / count) * 1e6;
  const bytes = (after.memory - before.memory) / count;
  console.log(
    `${what}: ${count} in ${seconds.toFixed(1)} s, server CPU ${cpuUs.toFixed(0)} µs each, memory ${bytes.toFixed(0)} bytes each`,
  );
}

let records: StreamRecord[] = Array.from({ length: STREAMS }, (_, at) => {
  const fresh = newRecord({
    id: `01k${String(at).padStart(23, "0")}`,
    path: path(at),
    source: "studio-1",
    watch: "recordings",
    bucket: "recordings",
    keyPrefix: "",
    contentType: "video/x-matroska",
    verify: "full",
    plan: { kind: "stepped", partBytes: 8 * MIB, expectedMaxBytes: 0, maxParts: 10_000 },
    owner: own.workerId,
    nowUtc: new Date().toISOString(),
    facts: { size: 9 * MIB, inode: String(at), device: "1", birthtimeNs: "1", mtimeNs: "2", ctimeNs: "3" },
  });
  return { ...fresh, id: streamId(fresh.id) };
});

await measured("open a stream", STREAMS, () =>
  Promise.all(records.map((record) => store.open({ record, log: ["file found"] }))),
);
await measured("record a part", STREAMS * PARTS, async () => {
  for (let part = 1; part <= PARTS; part += 1) {
    const patch = {
      status: "processing" as const,
      s3_upload_id: "2~0123456789abcdef0123456789abcdef",
      next_part: part + 1,
      bytes_sent: part * 8 * MIB,
      last_activity_at_utc: new Date().toISOString(),
    };
    const one = {
      PartNumber: part,
      ETag: "0123456789abcdef0123456789abcdef",
      Size: 8 * MIB,
      Offset: (part - 1) * 8 * MIB,
      ChecksumCRC32: "AAAAAA==",
      UploadedAt: patch.last_activity_at_utc,
      Attempts: 1,
      DurationMs: 120,
    };
    const stats = { bytes_sent: 8 * MIB, parts: 1, retries: 0 };
    const write = {
      from: ["opening", "processing"] as const,
      patch,
      parts: [one],
      event: { type: "progress" as const },
      stats,
    };
    await Promise.all(records.map((record) => store.write(record, { ...write, from: [...write.from] })));
    records = records.map((record) => ({ ...record, ...patch, revision: record.revision + 1 }));
  }
});
clearInterval(renewal);
await closeClient(redis);
raw.disconnect();
