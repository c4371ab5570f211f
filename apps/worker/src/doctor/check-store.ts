/** Probes the bucket as the worker does at its start, with the credentials of this environment. */
import type { Config } from "@sluice/config";
import { StoreError } from "@sluice/core";
import { connectS3, probeStore } from "@sluice/s3-store";
import { s3Prefix } from "../start/worker-settings.ts";
import { VERSION } from "../version.ts";
import { clockFinding } from "./clock-findings.ts";
import type { Finding } from "./finding.ts";
import { safeguardFinding, storeFindings, storeTroubleFinding } from "./store-findings.ts";

const DATE_MS = 5_000;

export async function checkStore(config: Config): Promise<Finding[]> {
  using connection = connectS3({
    endpoint: config.s3Endpoint,
    region: config.s3Region,
    forcePathStyle: config.s3ForcePathStyle,
    uploadConcurrency: 1,
    version: VERSION,
  });
  const clock = await clockOf(config.s3Endpoint ?? "https://s3.amazonaws.com");
  try {
    const answers = await probeStore(connection, {
      bucket: config.s3Bucket,
      prefix: s3Prefix(config),
      // The doctor changes nothing: a bucket that is to be created is missing until the worker starts.
      createBucket: false,
      checksum: config.s3Checksum,
      store: config.s3Profile,
      uploadAgeMs: config.s3UploadAgeMs,
      storageClass: config.s3StorageClass,
      sse: config.s3Sse,
      sseKmsKeyId: config.s3SseKmsKeyId,
      tags: config.s3Tags,
    });
    return [...storeFindings(answers), safeguardFinding(config.tailSafeguardMs, answers.profile), ...clock];
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const trouble = storeTroubleFinding(error, config.s3Bucket);
    const willBeMade = config.s3CreateBucket && error.code === "NoSuchBucket";
    const made: Finding = {
      ...trouble,
      severity: "info",
      remedy: "Nothing to do: the worker creates it at its start.",
    };
    return [willBeMade ? made : trouble, ...clock];
  }
}

/** From the Date header of any reply, also of a refusal. No finding if there is no reply: the probe reports that. */
async function clockOf(endpoint: string): Promise<Finding[]> {
  const before = Date.now();
  const reply = await fetch(endpoint, {
    method: "HEAD",
    redirect: "manual",
    signal: AbortSignal.timeout(DATE_MS),
  }).catch(() => undefined);
  const date = Date.parse(reply?.headers.get("date") ?? "");
  if (Number.isNaN(date)) return [];
  // The header has whole seconds: on average it is half a second late.
  return [clockFinding("bucket", date + 500 - (before + Date.now()) / 2)];
}
