/** Translates the configuration into the worker's settings. */
import type { Config, RuleKey, WatchConfig } from "@sluice/config";
import { TemporaryNames, type StoreProfile } from "@sluice/core";
import type { SafeguardSettings, WorkerSettings, WatchSettings } from "./settings.ts";
import { VERSION } from "../version.ts";

/** Without what each watch may have for itself: that is read from the watch, or it does not compile. */
type Shared = Omit<Config, RuleKey>;

export function workerSettings(config: Shared, profile: StoreProfile, storeHash: string): WorkerSettings {
  return {
    source: config.source,
    workerId: config.workerId,
    version: VERSION,
    watches: config.watches.map((watch) => watchSettings(config, watch, profile)),
    bucket: config.s3Bucket,
    buckets: ownBuckets(config),
    storeHash,
    s3KeyPrefix: s3Prefix(config),
    bufferBytes: config.partBufferBytes,
    uploadConcurrency: config.uploadConcurrency,
    bandwidth: config.bandwidthBytesPerSecond,
    safeguard: safeguardSettings(config, profile),
    rescanIntervalMs: config.rescanIntervalMs,
    rereadBytesPerSecond: config.rereadBytesPerSecond,
    freeSpaceWarning: config.freeSpaceWarning,
    historyMs: config.historyMs,
    failedUploadRetentionMs: config.failedUploadRetentionMs,
    webhookEvents: config.webhookUrl === undefined ? [] : config.webhookEvents,
  };
}

function safeguardSettings(config: Shared, profile: StoreProfile): SafeguardSettings | undefined {
  const { tailSafeguardMs: windowMs, tailBudget: traffic, tailRequestsPerSecond: requestsPerSecond } = config;
  if (windowMs === 0 || safeguardOffBecause(profile) !== undefined) return undefined;
  return { windowMs, traffic, requestsPerSecond };
}

/** Why a store gets no tails although they are wanted, as a whole sentence; undefined: it gets them. */
export function safeguardOffBecause({
  replacedParts,
}: Pick<StoreProfile, "replacedParts">): string | undefined {
  if (replacedParts === undefined) return undefined;
  const why =
    replacedParts === "kept"
      ? "the store never frees a part that is replaced"
      : "the store bills a part that is replaced for weeks";
  return `The safeguard (SLUICE_TAIL_SAFEGUARD) stays off: ${why}, and every tail is replaced. Until a file is complete, what is past its last full part exists on its disk alone.`;
}

/** The buckets that may hold a stream's bytes; new ones go to the first. */
export function ownBuckets(config: Pick<Config, "s3Bucket" | "s3OldBuckets">): string[] {
  return [...new Set([config.s3Bucket, ...config.s3OldBuckets])];
}

/** The part of SLUICE_S3_KEY_PREFIX that all watches share: where the probe writes and what the janitor lists. */
export function s3Prefix(config: Pick<Config, "s3KeyPrefix" | "source">): string {
  const named = config.s3KeyPrefix.replaceAll("{source}", config.source);
  const placeholder = named.indexOf("{");
  return placeholder < 0 ? named : named.slice(0, placeholder);
}

function watchSettings(config: Shared, watch: WatchConfig, profile: StoreProfile): WatchSettings {
  const { name, root, keyPrefix } = watch;
  return {
    name,
    root,
    keyPrefix,
    rules: {
      name,
      root,
      idleTimeoutMs: watch.idleTimeoutMs,
      idleMaxMs: watch.idleMaxMs,
      ignoreOpen: watch.ignoreOpen,
      verify: watch.verify,
      temporaryNames: new TemporaryNames(watch.tempSuffixes),
      onConflict: watch.onConflict,
      onReplace: watch.onReplace,
      afterUpload: watch.afterUpload,
      afterUploadDelayMs: watch.afterUploadDelayMs,
      tidyUnseen: watch.tidyUnseen,
      historyMs: config.historyMs,
      plan: {
        kind: config.partPlan ?? (profile.unequalParts ? "stepped" : "uniform"),
        partBytes: config.partBytes,
        expectedMaxBytes: config.expectedMaxBytes,
        maxParts: profile.maxParts,
      },
      metadata: config.s3Metadata,
    },
  };
}
