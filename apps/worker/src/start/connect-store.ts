/**
 * Connects to the bucket as the worker needs it: reachable (waits for that), probed once, with the answers stored in
 * Redis.
 */
import { createHash } from "node:crypto";
import type { Config } from "@sluice/config";
import { StoreError, backoffMs, type ObjectStore, type StoreGate } from "@sluice/core";
import { loadStoreAnswers, saveStoreAnswers, type SchemaContext } from "@sluice/redis-schema";
import {
  confirmAnswers,
  connectS3,
  BucketGuard,
  probeStore,
  publicAddresses,
  S3ObjectStore,
  type ProbeOptions,
  type PublicAddresses,
  type S3Connection,
  type S3Profile,
  type StoreAnswers,
} from "@sluice/s3-store";
import { trouble } from "@sluice/control/troubles";
import { storeTroubleFinding } from "../doctor/store-findings.ts";
import type { SupervisorLog } from "../streams/supervisor.ts";
import { systemClock } from "@sluice/control/system-clock";
import { VERSION } from "../version.ts";
import type { RedisPatience } from "./redis-patience.ts";
import { StartRefused } from "./refusal.ts";
import { ownBuckets, s3Prefix } from "./worker-settings.ts";

export interface ConnectedStore {
  store: ObjectStore;
  answers: StoreAnswers;
  /** The key of the stored answers. */
  hash: string;
  connection: S3Connection;
  addresses: PublicAddresses;
}

/** How the start reacts to problems. */
export interface StartManner {
  /** No stream waits for this worker yet, so the start may be refused if the bucket cannot work. */
  mayRefuse: boolean;
  patience: RedisPatience;
  /** Reports what the start waits for. */
  gate: StoreGate;
  /** Called before each pause while the start has to wait for the store. */
  waits(): Promise<void>;
}

/** Older answers are requested again: a store may have been upgraded. */
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
  const hash = storeHash(config);
  const kept = await storeAnswers(config, context, connection, hash, how, log, signal);
  const { answers } = kept;
  for (const note of answers.notes) log.info({ bucket: config.s3Bucket }, note);
  const ofS3 = new S3ObjectStore(connection, {
    ...attributes(config),
    profile: answers.profile,
    prefix: s3Prefix(config),
    onDemoted: async (_change, because) => {
      log.warn({ bucket: config.s3Bucket, detail: because, ...trouble("store_demoted") }, because);
      answers.notes.push(because);
      answers.demotions = [...(answers.demotions ?? []), because];
      await keepAnswers(context, hash, kept).catch((error: unknown) =>
        log.warn(
          { bucket: config.s3Bucket, err: error },
          "what was learned about the store could not be saved",
        ),
      );
    },
  });
  const store = new BucketGuard(ofS3, ownBuckets(config));
  const addresses = await publicAddresses(connection, config.s3PublicEndpoint);
  return { store, answers, hash, connection, addresses };
}

async function storeAnswers(
  config: Config,
  context: SchemaContext,
  connection: S3Connection,
  hash: string,
  how: StartManner,
  log: SupervisorLog,
  signal: AbortSignal,
): Promise<KeptAnswers> {
  const { mayRefuse, patience, gate } = how;
  const still = await stillTrue(config, context, connection, hash, how, log, signal);
  if (still) return still;
  // One refusal may be the word of somebody between, or of the moment: everything is asked a second time.
  let refused = false;
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      const answers = await probeStore(connection, probing(config, log));
      if (answers.refusals.length === 0) {
        const probed = { probedAt: new Date().toISOString(), answers };
        await patience.wait(() => keepAnswers(context, hash, probed), signal);
        gate.recover();
        return probed;
      }
      if (mayRefuse && refused) throw new StartRefused(answers.refusals);
      refused = true;
      if (mayRefuse) continue;
      gate.blockedBy(answers.refusals.join("; "));
      for (const refusal of answers.refusals)
        log.warn({ bucket: config.s3Bucket, detail: refusal, ...trouble("store_refused") }, refusal);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      const wasRefused = refused;
      refused = !isTemporary(error);
      if (mayRefuse && refused) {
        if (wasRefused) throw new StartRefused([refusalOf(error, config.s3Bucket)]);
        continue;
      }
      gate.blockedBy(refusalOf(error, config.s3Bucket));
      log.warn(
        { bucket: config.s3Bucket, err: `${error.code}: ${error.message}`, ...trouble("store_unusable") },
        "the store cannot be used yet; retrying",
      );
    }
    await how.waits();
    await systemClock.sleep(backoffMs(attempt, Math.random()), signal);
  }
}

interface KeptAnswers {
  /** ISO. */
  probedAt: string;
  answers: StoreAnswers;
}

async function keepAnswers(
  context: SchemaContext,
  hash: string,
  { probedAt, answers }: KeptAnswers,
): Promise<void> {
  const plain = JSON.parse(JSON.stringify(answers));
  await saveStoreAnswers(context, hash, { probed_at_utc: probedAt, answers: plain });
}

/**
 * The stored answers, if they are recent and the same server still answers as it did. The server may have been
 * replaced, and today's credentials may be wrong: both are found out now, not with the first recording.
 */
async function stillTrue(
  config: Config,
  context: SchemaContext,
  connection: S3Connection,
  hash: string,
  { mayRefuse, patience }: StartManner,
  log: SupervisorLog,
  signal: AbortSignal,
): Promise<KeptAnswers | undefined> {
  const kept = await patience.wait(() => loadStoreAnswers(context, hash), signal);
  if (!kept) return undefined;
  // Written by this program from its own StoreAnswers.
  const answers = kept.answers as unknown as StoreAnswers;
  const old = Date.now() - Date.parse(kept.probed_at_utc) >= ANSWERS_KEPT_MS;
  if (old && answers.leavesVersions !== true) return undefined;
  const now = { probedAt: kept.probed_at_utc, answers };
  try {
    const { refusals, holds } = await confirmAnswers(connection, probing(config, log), answers);
    if (holds) return now;
    if (refusals.length === 0) {
      log.info(
        { bucket: config.s3Bucket },
        "another server than before answers for the store: it is probed again",
      );
      return undefined;
    }
    if (mayRefuse) return undefined;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (mayRefuse && !isTemporary(error)) return undefined;
  }
  // A temporary problem is waited for while streams run and lag is shown. Which server will answer then is unknown.
  return { ...now, answers: { ...answers, profile: withoutConditions(answers.profile) } };
}

/** HeadObject is called before every write, which is safe on any server. */
function withoutConditions(profile: S3Profile): S3Profile {
  const none = { conditionalPut: false, conditionalComplete: false, copiesRanges: false };
  return { ...profile, ...none, ifMatchOnComplete: "ignored" };
}

function isTemporary({ trouble }: StoreError): boolean {
  return trouble === "unreachable" || trouble === "throttled";
}

function refusalOf(error: StoreError, bucket: string): string {
  const { remedy } = storeTroubleFinding(error, bucket);
  return `bucket ${bucket}: ${error.message}${remedy === undefined ? "" : `. ${remedy}`}`;
}

function probing(config: Config, log: SupervisorLog): ProbeOptions {
  return {
    ...attributes(config),
    bucket: config.s3Bucket,
    prefix: s3Prefix(config),
    createBucket: config.s3CreateBucket,
    onBucketCreated: () =>
      log.info(
        { bucket: config.s3Bucket },
        `The bucket ${config.s3Bucket} was missing and has been created.`,
      ),
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

/** Increased when the probe asks something new, so that older answers are not used. */
const QUESTIONS = 4;

/** Differences that a worker with these settings found between the store and its probe; for doctor. */
export async function learnedAtWork(config: Config, context: SchemaContext): Promise<string[]> {
  const kept = await loadStoreAnswers(context, storeHash(config));
  const answers = kept?.answers as unknown as StoreAnswers | undefined;
  return answers?.demotions ?? [];
}

/** A hash of everything that the answers depend on. */
export function storeHash(config: Config): string {
  const text = JSON.stringify([
    VERSION,
    QUESTIONS,
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
