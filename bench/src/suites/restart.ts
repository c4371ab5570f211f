/**
 * A start with thousands of active streams whose worker died on this host: how soon uploads resume, at what cost in
 * Redis.
 */
import { appendFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newRecord, streamId, type FileFacts } from "@sluice/core";
import {
  createClient,
  keysWith,
  parseRedisUrl,
  StreamStore,
  whenReady,
  WorkerRegistry,
} from "@sluice/redis-schema";
import { ownIdentity } from "../../../apps/worker/src/takeover/process-identity.ts";
import { startRedisProxy } from "../rig/redis-proxy.ts";
import { startSluice, SOURCE, until, type Sluice } from "../rig/sluice.ts";

const KEYS = keysWith("");

export interface Restart {
  streams: number;
  first_part_seconds: number;
  reconciled_seconds: number;
  /** From process start until all are resumed, less those of a start with nothing to resume: an upper bound. */
  redis_round_trips_per_500: number;
}

const CLOCK = { wallMs: () => Date.now() };
const DEAD_WORKER = "bench-dead";
/** Above every pid the kernel gives out: the process behind the lease is gone. */
const NO_PID = 2 ** 22 + 1;

export async function restart(directory: string, streams: number): Promise<Restart> {
  await using sluice = await startSluice({ directory, env: { SLUICE_IDLE_TIMEOUT: "1h" } });
  const ids = await writeRecords(sluice, streams);
  // A recorder continued while the worker was down: one file has a part's worth of new bytes.
  appendFileSync(fileAt(sluice, streams - 1), Buffer.alloc(9 * 1024 * 1024));
  await using proxy = await startRedisProxy(sluice.server.port);
  await sluice.endpoint.watch(process.pid);
  const startedAt = Date.now();
  const worker = sluice.launch({ SLUICE_REDIS_URL: proxy.url });
  const resumed = await worker.said("interrupted streams resumed", { withinMs: 180_000, everyMs: 10 });
  const roundTrips = proxy.roundTrips;
  if (resumed["resumed"] !== streams) throw new Error(`resumed ${String(resumed["resumed"])} of ${streams}`);
  const first = await until(
    "a part with new bytes is sent",
    async () => (await sluice.endpoint.seen()).marks.first_part,
    { withinMs: 180_000, everyMs: 50 },
  );
  const checkedAt = await allChecked(sluice, ids);
  await worker.kill();
  return {
    streams,
    first_part_seconds: (first.at - startedAt) / 1_000,
    reconciled_seconds: (checkedAt - startedAt) / 1_000,
    redis_round_trips_per_500: (roundTrips - (await idleStartRoundTrips(directory))) / (streams / 500),
  };
}

/** What a start costs that finds nothing to resume. */
async function idleStartRoundTrips(directory: string): Promise<number> {
  await using sluice = await startSluice({ directory });
  await using proxy = await startRedisProxy(sluice.server.port);
  const worker = sluice.launch({ SLUICE_REDIS_URL: proxy.url });
  await worker.said("interrupted streams resumed", { everyMs: 10 });
  const { roundTrips } = proxy;
  await worker.kill();
  return roundTrips;
}

/** A stream that has checked its file records what it waits for. */
async function allChecked({ redis }: Sluice, ids: readonly string[]): Promise<number> {
  let left = [...ids];
  await until(
    "every stream has checked its file",
    async () => {
      const answers = await Promise.all(left.map((id) => redis.hget(KEYS.streamMeta(id), "waiting_for")));
      left = left.filter((_, at) => answers[at] === null);
      return left.length === 0;
    },
    { withinMs: 180_000, everyMs: 500 },
  );
  return Date.now();
}

function fileAt(sluice: Sluice, n: number): string {
  return join(sluice.root, `file-${n}.bin`);
}

/** Written through the same scripts as the worker's, by a worker that then is gone. */
async function writeRecords(sluice: Sluice, streams: number): Promise<string[]> {
  const parsed = parseRedisUrl(sluice.server.url);
  if (!parsed.ok) throw new Error(parsed.detail);
  // A command that fails reports it itself.
  const redis = createClient(parsed.target, { name: "bench" }, () => undefined);
  await whenReady(redis, AbortSignal.timeout(10_000));
  const context = { redis, keys: KEYS, clock: CLOCK };
  const identity = ownIdentity();
  const now = new Date().toISOString();
  await new WorkerRegistry(context).renew(DEAD_WORKER, {
    ...identity,
    pid: NO_PID,
    version: "bench",
    source: SOURCE,
    watches: ["watch"],
    state: "ok",
    lag_bytes: 0,
    in_flight_bytes: 0,
    started_at_utc: now,
    renewed_at_utc: now,
  });
  const store = new StreamStore(context, { workerId: DEAD_WORKER, nonce: identity.nonce });
  const opened = Array.from({ length: streams }, async (_, n): Promise<string> => {
    const path = fileAt(sluice, n);
    writeFileSync(path, "x");
    const record = newRecord({
      id: streamId(`01bench${String(n).padStart(19, "0")}`),
      path,
      source: SOURCE,
      watch: "watch",
      bucket: "bench",
      keyPrefix: "",
      contentType: "application/octet-stream",
      verify: "full",
      plan: {
        kind: "stepped",
        partBytes: 8 * 1024 ** 2,
        expectedMaxBytes: 100 * 1024 ** 3,
        maxParts: 10_000,
      },
      owner: DEAD_WORKER,
      nowUtc: now,
      facts: factsAt(path),
    });
    const outcome = await store.open({ record, log: ["written by the benchmark"] });
    if (outcome.kind !== "opened") throw new Error(`a record was not taken: ${outcome.kind}`);
    return record.id;
  });
  const ids = await Promise.all(opened);
  redis.disconnect();
  return ids;
}

function factsAt(path: string): FileFacts {
  const stats = statSync(path, { bigint: true });
  return {
    size: Number(stats.size),
    inode: String(stats.ino),
    birthtimeNs: String(stats.birthtimeNs),
    device: String(stats.dev),
    mtimeNs: String(stats.mtimeNs),
    ctimeNs: String(stats.ctimeNs),
  };
}
