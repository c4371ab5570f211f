/**
 * The SDK's client as Sluice uses it: one attempt a call (the worker owns every retry), no checksum of its own,
 * and our own transport below.
 */
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { LIMITS } from "@sluice/core";
import { BandwidthLimit } from "./bandwidth.ts";
import { DirectSender } from "./direct.ts";
import { StorePulse } from "./pulse.ts";
import { S3Transport } from "./transport.ts";

export interface S3Settings {
  /** Absent: AWS. */
  endpoint?: string | undefined;
  /** Absent: AWS_REGION and the shared config, or us-east-1 at a custom endpoint. */
  region?: string | undefined;
  /** Default: on for custom endpoints. */
  forcePathStyle?: boolean | undefined;
  /** Absent: the SDK's default chain. */
  credentials?: S3ClientConfig["credentials"];
  /** Parts in flight in the whole worker. */
  uploadConcurrency: number;
  /** Bytes a second of all bodies together; absent: no limit. */
  bandwidth?: number | undefined;
  /** For the user agent. */
  version?: string | undefined;
  /** Nothing that is under way has moved for so long, ms. */
  onQuiet?: (quietMs: number) => void;
}

/** Streams read from the store at once (deep verification, reports). */
export const READS = 4;
/** Completes in flight at once. */
export const COMPLETES = 16;

export interface S3Connection extends Disposable {
  readonly client: S3Client;
  /** For requests that carry a body. */
  readonly direct: DirectSender;
  readonly settings: S3Settings;
}

export function connectS3(settings: S3Settings): S3Connection {
  const transport = new S3Transport({
    sockets: settings.uploadConcurrency + LIMITS.controlRequests + COMPLETES + READS,
    bandwidth: settings.bandwidth === undefined ? undefined : new BandwidthLimit(settings.bandwidth),
    pulse: new StorePulse(settings.onQuiet === undefined ? {} : { onQuiet: settings.onQuiet }),
  });
  const version = settings.version ?? "0";
  const region = settings.region ?? (settings.endpoint === undefined ? undefined : regionAtCustomEndpoint());
  const client = new S3Client({
    ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(settings.credentials === undefined ? {} : { credentials: settings.credentials }),
    forcePathStyle: settings.forcePathStyle ?? settings.endpoint !== undefined,
    maxAttempts: 1,
    retryMode: "standard",
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    expectContinueHeader: false,
    // The SDK's own type also allows abort signals of an older kind; only ours ever get here.
    requestHandler: transport as NonNullable<S3ClientConfig["requestHandler"]>,
    customUserAgent: [["sluice", version]],
  });
  dropOperationName(client);
  return {
    client,
    direct: new DirectSender(client, transport, `sluice/${version}`),
    settings,
    [Symbol.dispose]: () => transport.destroy(),
  };
}

function regionAtCustomEndpoint(): string {
  return process.env["AWS_REGION"] ?? process.env["AWS_DEFAULT_REGION"] ?? "us-east-1";
}

/** `x-id` names the operation for readers of logs; Google's XML API takes it for a mistake. */
function dropOperationName(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      delete (args.request as { query?: Record<string, unknown> }).query?.["x-id"];
      return next(args);
    },
    { step: "build", name: "sluiceDropOperationName" },
  );
}
