/** A Redis with streams in it, written as a worker writes them, and the command line beside it. No worker runs. */
import { displayPath, newRecord, type FailureReason, type Part, type StreamRecord } from "@sluice/core";
import {
  closeClient,
  createClient,
  keysWith,
  parseRedisUrl,
  StreamReader,
  StreamStore,
  WorkerRegistry,
  whenReady,
  type SchemaContext,
} from "@sluice/redis-schema";
import { startRedis, type TestRedis } from "@sluice/redis-schema/testing";
import { systemClock } from "@sluice/control/system-clock";
import { ownIdentity } from "../src/takeover/process-identity.ts";
import { sluice, type Answer, type CliOptions } from "./cli-process.ts";

export const MIB = 1024 * 1024;
const SOURCE = "studio";
const WORKER = "w1";

export interface CliRig extends AsyncDisposable {
  readonly redis: TestRedis;
  readonly context: SchemaContext;
  readonly reader: StreamReader;
  readonly env: Readonly<Record<string, string>>;
  /** The command line, on this rig's keys. */
  sluice(args: readonly string[], options?: CliOptions): Promise<Answer>;
  /** A stream at work: two parts acknowledged of a file of 20 MiB. */
  live(path: string, over?: Partial<StreamRecord>): Promise<StreamRecord>;
  failed(path: string, reason: FailureReason, over?: Partial<StreamRecord>): Promise<StreamRecord>;
  completed(path: string, over?: Partial<StreamRecord>): Promise<StreamRecord>;
  /** From now on a worker seems to be alive. */
  pretendWorker(): Promise<void>;
}

let rigs = 0;

/** One Redis can serve many rigs: each has a key prefix of its own. */
export async function startCliRig(redis: TestRedis): Promise<CliRig> {
  rigs += 1;
  const prefix = `cli${rigs}:`;
  const parsed = parseRedisUrl(redis.url);
  if (!parsed.ok) throw new Error(parsed.detail);
  const client = createClient(parsed.target, { name: "cli-rig" }, () => undefined);
  await whenReady(client);
  const context: SchemaContext = { redis: client, keys: keysWith(prefix), clock: systemClock };
  const registry = new WorkerRegistry(context);
  const identity = ownIdentity();
  const store = new StreamStore(context, { workerId: WORKER, nonce: identity.nonce });
  const env = { SLUICE_REDIS_URL: redis.url, SLUICE_KEY_PREFIX: prefix };
  let made = 0;

  const renew = async (): Promise<void> => {
    const now = new Date().toISOString();
    await registry.renew(WORKER, {
      ...identity,
      version: "0.1.0",
      source: SOURCE,
      watches: ["rec"],
      s3_bucket: "recordings",
      state: "ok",
      lag_bytes: 0,
      in_flight_bytes: 0,
      started_at_utc: now,
      renewed_at_utc: now,
    });
  };

  /** Opened, with two parts; the record as it is afterwards. */
  const open = async (path: string, over: Partial<StreamRecord>): Promise<StreamRecord> => {
    made += 1;
    const fresh = newRecord({
      id: `01k9${String(made).padStart(22, "0")}`,
      path,
      source: SOURCE,
      watch: "rec",
      bucket: "recordings",
      keyPrefix: "",
      contentType: "video/x-matroska",
      verify: "full",
      plan: { kind: "stepped", partBytes: 8 * MIB, expectedMaxBytes: 0, maxParts: 10_000 },
      owner: WORKER,
      nowUtc: new Date().toISOString(),
      facts: { size: 20 * MIB, inode: "11", device: "1", birthtimeNs: "17", mtimeNs: "18", ctimeNs: "19" },
      supersedes: undefined,
    });
    const key = displayPath(path).slice(1);
    const opened = await store.open({ record: fresh, log: ["file found"] });
    if (opened.kind !== "opened") throw new Error(`not opened: ${opened.kind}`);
    return await write(fresh, {
      status: "processing",
      s3_key: key,
      s3_upload_id: `upload-${made}`,
      next_part: 3,
      bytes_sent: 16 * MIB,
      ...over,
    });
  };

  const write = async (record: StreamRecord, patch: Partial<StreamRecord>): Promise<StreamRecord> => {
    const keys = patch.s3_key === undefined ? [] : [`${record.s3_bucket}/${patch.s3_key}`];
    const isFirst = record.status === "opening";
    const written = await store.write(record, {
      from: ["opening", "processing"],
      patch,
      takeKeys: keys,
      ...(isFirst ? { parts: [1, 2].map(partOf), log: [`upload opened at ${patch.s3_key}`] } : {}),
      ...(patch.status === "processing" ? {} : { releasePath: true, log: [`it is ${patch.status} now`] }),
    });
    if (written.kind !== "written") throw new Error(`not written: ${JSON.stringify(written)}`);
    return { ...record, ...patch, revision: record.revision + 1 };
  };

  const ended = async (path: string, patch: Partial<StreamRecord>): Promise<StreamRecord> => {
    await renew();
    const record = await write(await open(path, {}), patch);
    await registry.unregister(WORKER, identity.nonce);
    return record;
  };

  return {
    redis,
    context,
    reader: new StreamReader(context),
    env,
    sluice: (args, options = {}) => sluice(args, { ...options, env: { ...env, ...options.env } }),
    async live(path, over = {}) {
      await renew();
      const record = await open(path, over);
      await registry.unregister(WORKER, identity.nonce);
      return record;
    },
    failed: (path, reason, over = {}) =>
      ended(path, {
        status: `failed_${reason}`,
        failure_reason: reason,
        failure_detail: "what exactly happened",
        ...over,
      }),
    completed: (path, over = {}) =>
      ended(path, {
        status: "completed",
        completed_at_utc: new Date().toISOString(),
        sealed_at_utc: new Date().toISOString(),
        ...over,
      }),
    pretendWorker: renew,
    async [Symbol.asyncDispose]() {
      await closeClient(client);
    },
  };
}

function partOf(n: number): Part {
  return {
    PartNumber: n,
    ETag: `etag-${n}`,
    Size: 8 * MIB,
    Offset: (n - 1) * 8 * MIB,
    ChecksumCRC32: "AAAAAA==",
    UploadedAt: new Date().toISOString(),
    Attempts: 1,
    DurationMs: 120,
  };
}

/** Many streams at once take a while to write: this many in one go. */
export async function manyFailed(rig: CliRig, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let at = 0; at < count; at += 1) {
    ids.push((await rig.failed(`/rec/many-${at}.mkv`, "access_denied", { s3_upload_id: `many-${at}` })).id);
  }
  return ids;
}

export { startRedis };
