/** What the worker is built from: the configuration, parsed and checked, in bytes and milliseconds. */
import type { SpaceWarning } from "@sluice/config";
import type { TailTraffic, WatchRules, WebhookEvent } from "@sluice/core";

export interface WatchSettings {
  name: string;
  /** Absolute, without a trailing slash. */
  root: string;
  /** Effective prefix of its keys. */
  keyPrefix: string;
  rules: WatchRules;
}

export interface SafeguardSettings {
  windowMs: number;
  traffic: TailTraffic;
  requestsPerSecond: number;
}

export interface WorkerSettings {
  source: string;
  workerId: string;
  version: string;
  watches: readonly WatchSettings[];
  bucket: string;
  /** The buckets that may hold a stream's bytes: `bucket`, then the old ones. */
  buckets: readonly string[];
  /** Where a browser finds the bucket's objects. */
  s3Address?: string;
  /** The key of the store's answers in Redis. */
  storeHash: string;
  /** Common prefix of all keys: where the probe may write and what the janitor may list. */
  s3KeyPrefix: string;
  /** One pooled buffer of this size for each part in flight. */
  bufferBytes: number;
  uploadConcurrency: number;
  /** A limit of all bodies together, bytes a second. */
  bandwidth: number | undefined;
  /** Absent: the tails of growing files wait for the seal. */
  safeguard: SafeguardSettings | undefined;
  rescanIntervalMs: number;
  /** For completed files that are read again. */
  rereadBytesPerSecond: number;
  freeSpaceWarning: SpaceWarning;
  historyMs: number;
  failedUploadRetentionMs: number;
  /** The events that webhooks send; empty if no webhook is configured. */
  webhookEvents: readonly WebhookEvent[];
}
