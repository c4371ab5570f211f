/** What the worker is built from: the configuration, parsed and checked, in bytes and milliseconds. */
import type { WatchRules } from "@sluice/core";
import type { S3Settings } from "./adapters/s3-client.ts";

export interface WatchSettings {
  name: string;
  /** Absolute, without a trailing slash. */
  root: string;
  /** Effective prefix of its keys. */
  keyPrefix: string;
  rules: WatchRules;
}

export interface WorkerSettings {
  redisUrl: string;
  keyPrefix: string;
  source: string;
  workerId: string;
  version: string;
  watches: readonly WatchSettings[];
  bucket: string;
  /** Common prefix of all keys: where the probe may write, what the janitor may list. */
  s3KeyPrefix: string;
  s3: S3Settings;
  partBytes: number;
  uploadConcurrency: number;
  memoryBudgetBytes: number;
  rescanIntervalMs: number;
  onTerm: "pause" | "seal";
  drainTimeoutMs: number;
  historyMs: number;
  failedUploadRetentionMs: number;
}
