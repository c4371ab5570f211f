/** The bucket as the worker needs it: reachable (waited for), probed once, its answers kept in Redis. */
import { createHash } from "node:crypto";
import type { Config } from "@sluice/config";
import { StoreError, backoffMs, type ObjectStore, type StoreGate } from "@sluice/core";
import { loadStoreAnswers, saveStoreAnswers, type SchemaContext } from "@sluice/redis-schema";
import {
  confirmReach,
  probeStore,
  type ProbeOptions,
  type StoreAnswers,
} from "../adapters/s3-capabilities.ts";
import { connectS3, type S3Connection } from "../adapters/s3-client.ts";
import { OwnBucketsStore } from "../adapters/own-buckets-store.ts";
import { S3ObjectStore } from "../adapters/s3-object-store.ts";
import { storeTroubleFinding } from "../doctor/store-findings.ts";
import type { SupervisorLog } from "../streams/supervisor.ts";
import { systemClock } from "../system-clock.ts";
import { VERSION } from "../version.ts";
import type { RedisPatience } from "./redis-patience.ts";
import { StartRefused } from "./refusal.ts";
import { ownBuckets, s3Prefix } from "./worker-settings.ts";

export interface ConnectedStore {
  store: ObjectStore;
  answers: StoreAnswers;
  /** Under which they are kept. */
  hash: string;
  connection: S3Connection;
}

/** What the start may do when things are not as they should be. */
export interface StartManner {
  /** Nothing waits for this worker yet: what cannot work is refused. */
  mayRefuse: boolean;
  patience: RedisPatience;
  /** Says what the start waits for. */
  gate: StoreGate;
}

/** Answers older than this are asked for again: a store is upgraded now and then. */
const ANSWERS_KEPT_MS = 24 * 3_600_000;

export async function connectStore(
  config: Config,
  context: SchemaContext,
  how: StartManner,
  log: SupervisorLog,
  signal: AbortSignal,
): Promise<ConnectedStore> {
  const connection = connectS3({
    endpoint: config.s3Endpoint,
    region: config.s3Region,
    forcePathStyle: config.s3ForcePathStyle,
    uploadConcurrency: config.uploadConcurrency,
    bandwidth: config.bandwidthBytesPerSecond,
    version: VERSION,
    onQuiet: (quietMs) => how.gate.quiet(quietMs),
  });
  const hash = settingsHash(config);
  const answers = await storeAnswers(config, context, connection, hash, how, log, signal);
  for (const note of answers.notes) log.info({ bucket: config.s3Bucket }, note);
  const ofS3 = new S3ObjectStore(connection, {
    ...attributes(config),
    profile: answers.profile,
    prefix: s3Prefix(config),
  });
  const store = new OwnBucketsStore(ofS3, ownBuckets(config));
  return { store, answers, hash, connection };
}

async function storeAnswers(
  config: Config,
  context: SchemaContext,
  connection: S3Connection,
  hash: string,
  { mayRefuse, patience, gate }: StartManner,
  log: SupervisorLog,
  signal: AbortSignal,
): Promise<StoreAnswers> {
  const kept = await patience.wait(() => loadStoreAnswers(context, hash), signal);
  if (kept && Date.now() - Date.parse(kept.probed_at_utc) < ANSWERS_KEPT_MS) {
    if (mayRefuse) await refuseWrongAccess(connection, probing(config));
    // Written by this very program from its own StoreAnswers.
    return kept.answers as unknown as StoreAnswers;
  }
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      const answers = await probeStore(connection, probing(config));
      if (answers.refusals.length === 0) {
        const probed_at_utc = new Date().toISOString();
        const plain = JSON.parse(JSON.stringify(answers));
        await patience.wait(() => saveStoreAnswers(context, hash, { probed_at_utc, answers: plain }), signal);
        gate.heal();
        return answers;
      }
      if (mayRefuse) throw new StartRefused(answers.refusals);
      gate.blockedBy(answers.refusals.join("; "));
      for (const refusal of answers.refusals) log.warn({ bucket: config.s3Bucket }, refusal);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (!heals(error) && mayRefuse) throw new StartRefused([refusalOf(error, config.s3Bucket)]);
      gate.blockedBy(refusalOf(error, config.s3Bucket));
      log.warn(
        { bucket: config.s3Bucket, err: `${error.code}: ${error.message}` },
        "the store cannot be used yet; trying again",
      );
    }
    await systemClock.sleep(backoffMs(attempt, Math.random()), signal);
  }
}

/** Kept answers are about the store, not about today's credentials: a wrong secret is told now, not at the first part. */
async function refuseWrongAccess(connection: S3Connection, options: ProbeOptions): Promise<void> {
  try {
    const refusals = await confirmReach(connection, options);
    if (refusals.length > 0) throw new StartRefused(refusals);
  } catch (error) {
    // What heals is waited for at work, where lag is shown meanwhile.
    if (!(error instanceof StoreError)) throw error;
    if (!heals(error)) throw new StartRefused([refusalOf(error, options.bucket)]);
  }
}

function heals({ trouble }: StoreError): boolean {
  return trouble === "unreachable" || trouble === "throttled";
}

function refusalOf(error: StoreError, bucket: string): string {
  const { remedy } = storeTroubleFinding(error, bucket);
  return `bucket ${bucket}: ${error.message}${remedy === undefined ? "" : `. ${remedy}`}`;
}

function probing(config: Config): ProbeOptions {
  return {
    ...attributes(config),
    bucket: config.s3Bucket,
    prefix: s3Prefix(config),
    createBucket: config.s3CreateBucket,
    checksum: config.s3Checksum,
    store: config.s3Profile,
    uploadAgeMs: config.s3UploadAgeMs,
    prober: config.workerId,
  };
}

function attributes(config: Config) {
  return {
    storageClass: config.s3StorageClass,
    sse: config.s3Sse,
    sseKmsKeyId: config.s3SseKmsKeyId,
    tags: config.s3Tags,
  };
}

/** What the answers depend on. */
function settingsHash(config: Config): string {
  const text = JSON.stringify([
    VERSION,
    config.s3Endpoint,
    config.s3Region,
    config.s3Bucket,
    s3Prefix(config),
    config.s3Checksum,
    config.s3Profile,
    config.s3UploadAgeMs,
    attributes(config),
  ]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
