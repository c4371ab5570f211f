/**
 * The SDK's client as Sluice uses it: one attempt a call (the worker owns every retry), no checksum of its own, no
 * payload hashed twice, and our own transport below.
 */
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { LIMITS } from "@sluice/core";
import { BandwidthLimit } from "./s3-bandwidth.ts";
import { RangeBody } from "./s3-request-body.ts";
import { S3Transport } from "./s3-transport.ts";

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
}

/** Streams read from the store at once (deep verification, reports). */
export const READS = 4;

export interface S3Connection extends Disposable {
  readonly client: S3Client;
  readonly settings: S3Settings;
}

export function connectS3(settings: S3Settings): S3Connection {
  const transport = new S3Transport({
    sockets: settings.uploadConcurrency + LIMITS.controlRequests + READS,
    bandwidth: settings.bandwidth === undefined ? undefined : new BandwidthLimit(settings.bandwidth),
  });
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
    customUserAgent: [["sluice", settings.version ?? "0"]],
  });
  addPayloadHash(client);
  return {
    client,
    settings,
    [Symbol.dispose]: () => transport.destroy(),
  };
}

function regionAtCustomEndpoint(): string {
  return process.env["AWS_REGION"] ?? process.env["AWS_DEFAULT_REGION"] ?? "us-east-1";
}

/** A property that survives the copies the SDK makes of a command's input. */
const UNSIGNED = Symbol("the body is not hashed for the signature");

/** Marks the input of a command whose body is not to be hashed for the signature. */
export function unsigned(input: object): void {
  Object.defineProperty(input, UNSIGNED, { value: true, enumerable: true });
}

/** The signature takes the body's hash from this header, and hashes the body only where it is missing. */
function addPayloadHash(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as {
        headers: Record<string, string>;
        query?: Record<string, unknown>;
        body?: unknown;
      };
      // Names the operation, for log readers only; Google's XML API takes it for a mistake.
      delete request.query?.["x-id"];
      if (UNSIGNED in args.input) request.headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD";
      else if (request.body instanceof RangeBody && request.body.sha256 !== undefined) {
        request.headers["x-amz-content-sha256"] = request.body.sha256;
      }
      return next(args);
    },
    { step: "build", name: "sluicePayloadHash" },
  );
}
