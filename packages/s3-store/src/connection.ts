/**
 * The connection to one S3 endpoint, and the only layer through which requests are sent. Each is sent once: retries,
 * checksums and deadlines are up to the caller.
 *
 *   send(command) ── the SDK builds, signs, parses ───────┐
 *                                                         ├─► S3Transport ─► socket
 *   put(body) ────── built and signed here, by the SDK's ─┘
 *                    address, credentials and signer
 *
 * `put` is for bytes. The SDK takes dozens of steps for each request, which for parts is a large share of the CPU; for
 * a request without a body `put` would save nothing, and its XML would have to be parsed here. So both exist.
 */
import { createHash } from "node:crypto";
import {
  type $Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
  type S3ClientResolvedConfig,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from "@aws-sdk/client-s3";
import { LIMITS, type ObjectRef } from "@sluice/core";
import { BandwidthLimit, RangeBody } from "./body.ts";
import { ReplyError } from "./errors.ts";
import { StorePulse } from "./pulse.ts";
import { escapeKey, escapeUri, type ExchangeOptions, S3Transport, type SdkRequest } from "./transport.ts";

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
  /** Bytes per second of all bodies together; absent: no limit. */
  bandwidth?: number | undefined;
  /** For the user agent. */
  version?: string | undefined;
  /** Called when no request in flight has made progress for this long, ms. */
  onQuiet?: (quietMs: number) => void;
}

/** Concurrent streams read from the store (deep verification, reports). */
export const READS = 4;
/** Concurrent Completes. */
export const COMPLETES = 16;

export type SdkCommand<I extends ServiceInputTypes, O extends ServiceOutputTypes> = $Command<
  I,
  O,
  S3ClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes
>;

export interface BodyRequest {
  bucket: string;
  key: string;
  query: Readonly<Record<string, string>>;
  /** Lower-case names. */
  headers: ReplyHeaders;
  body: Uint8Array | RangeBody;
  /** The signature covers the body's hash; a RangeBody must contain its own. */
  signed: boolean;
}

/** Lower-case names. */
export type ReplyHeaders = Readonly<Record<string, string>>;

/** Sends nothing yet. Dispose it to close its connections. */
export function connectS3(settings: S3Settings): S3Connection {
  return new S3Connection(settings);
}

export class S3Connection implements Disposable {
  readonly settings: S3Settings;
  readonly #client: S3Client;
  readonly #transport: S3Transport;
  readonly #userAgent: string;
  readonly #addresses = new Map<string, Promise<Address>>();

  constructor(settings: S3Settings) {
    this.settings = settings;
    this.#transport = new S3Transport({
      sockets: settings.uploadConcurrency + LIMITS.controlRequests + COMPLETES + READS,
      bandwidth: settings.bandwidth === undefined ? undefined : new BandwidthLimit(settings.bandwidth),
      pulse: new StorePulse(settings.onQuiet === undefined ? {} : { onQuiet: settings.onQuiet }),
    });
    const version = settings.version ?? "0";
    this.#userAgent = `sluice/${version}`;
    this.#client = sdkClient(settings, this.#transport, version);
  }

  /** The SDK's settings: region, credentials, and the clock for signing requests. */
  get config(): S3ClientResolvedConfig {
    return this.#client.config;
  }

  /** A request without a body, built and parsed by the SDK. */
  send<I extends ServiceInputTypes, O extends ServiceOutputTypes>(
    command: SdkCommand<I, O>,
    options: ExchangeOptions = {},
  ): Promise<O> {
    return this.#client.send(command, options);
  }

  /** Headers of a 2xx reply. Rejects with a ReplyError for any other, with a TransportError if there is none. */
  async put(request: BodyRequest, options: ExchangeOptions): Promise<ReplyHeaders> {
    const address = await this.#address(request.bucket);
    const unsigned: SdkRequest = {
      method: "PUT",
      protocol: address.protocol,
      hostname: address.hostname,
      port: address.port,
      path: address.path + escapeKey(request.key),
      query: request.query,
      headers: {
        ...request.headers,
        host: address.host,
        "user-agent": this.#userAgent,
        "content-length": String(
          request.body instanceof RangeBody ? request.body.bytes : request.body.length,
        ),
        "x-amz-content-sha256": request.signed ? sha256Of(request.body) : "UNSIGNED-PAYLOAD",
      },
      body: request.body,
    };
    const { config } = this.#client;
    const signed = await address.signer.sign(unsigned as unknown as Parameters<Signer["sign"]>[0], {
      ...address.signing,
      signingDate: new Date(Date.now() + config.systemClockOffset),
    });
    const { response } = await this.#transport.handle(signed as unknown as SdkRequest, options);
    if (response.statusCode >= 200 && response.statusCode < 300) return response.headers;
    const error = new ReplyError(response.statusCode, response.headers, response.body);
    if (error.code === "RequestTimeTooSkewed") config.systemClockOffset = skewMs(error.serverTime);
    throw error;
  }

  /** The address of a bucket's objects, up to and including the slash before the key. */
  async addressOf(bucket: string): Promise<string> {
    const { protocol, host, path } = await this.#address(bucket);
    return `${protocol}//${host}${path}`;
  }

  /** An address that reads this object, as `query` says, without other credentials. Nothing is sent. */
  async presign(
    { bucket, key }: ObjectRef,
    query: Readonly<Record<string, string>>,
    { seconds, atMs }: { seconds: number; atMs: number },
  ): Promise<string> {
    const { protocol, hostname, port, host, path, signer, signing } = await this.#address(bucket);
    const headers = { host, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };
    const unsigned = { method: "GET", protocol, hostname, port, path: path + escapeKey(key), query, headers };
    const signed = await (signer as unknown as Presigner).presign(unsigned, {
      ...signing,
      expiresIn: seconds,
      signingDate: new Date(atMs),
    });
    const pairs = Object.entries(signed.query).map(
      ([name, value]) => `${escapeUri(name)}=${escapeUri(value)}`,
    );
    return `${protocol}//${host}${signed.path}?${pairs.join("&")}`;
  }

  [Symbol.dispose](): void {
    this.#transport.destroy();
  }

  /** Determined once per bucket. */
  #address(bucket: string): Promise<Address> {
    let address = this.#addresses.get(bucket);
    if (!address) {
      address = this.#learnAddress(bucket);
      this.#addresses.set(bucket, address);
      address.catch(() => this.#addresses.delete(bucket));
    }
    return address;
  }

  /** Has the SDK prepare a Put, and takes the address from it instead of sending it. */
  async #learnAddress(bucket: string): Promise<Address> {
    const key = "k";
    const command = new PutObjectCommand({ Bucket: bucket, Key: key, Body: "" });
    let request: SdkRequest | undefined;
    let scheme: AuthScheme | undefined;
    command.middlewareStack.add(
      (_next, context) => (args) => {
        request = args.request as SdkRequest;
        scheme = (context as { authSchemes?: AuthScheme[] }).authSchemes?.[0];
        return Promise.resolve({ response: {}, output: { $metadata: {} } });
      },
      { step: "build", priority: "high" },
    );
    await this.#client.send(command);
    if (!request) throw new Error("the SDK prepared no request");
    if (scheme !== undefined && scheme.name !== "sigv4") {
      throw new Error(
        `${bucket} needs the signature ${scheme.name}, which Sluice does not have; use a plain bucket`,
      );
    }
    const { protocol, hostname, port } = request;
    return {
      protocol,
      hostname,
      port,
      path: request.path.slice(0, -key.length),
      host: port === undefined ? hostname : `${hostname}:${port}`,
      signer: await this.#client.config.signer(scheme),
      signing: {
        ...(scheme?.signingRegion !== undefined && { signingRegion: scheme.signingRegion }),
        ...(scheme?.signingName !== undefined && { signingService: scheme.signingName }),
      },
    };
  }
}

type SignerOf = S3Client["config"]["signer"];
type Signer = Awaited<ReturnType<SignerOf>>;
type AuthScheme = NonNullable<Parameters<SignerOf>[0]>;

/** The SDK's signer can also do this, which its type does not say. */
interface Presigner {
  presign(
    request: { method: string; query: Readonly<Record<string, string>>; headers: Record<string, string> },
    options: { expiresIn: number; signingDate: Date },
  ): Promise<{ path: string; query: Record<string, string> }>;
}

interface Address {
  protocol: string;
  hostname: string;
  port: number | undefined;
  /** Up to and including the slash before the key. */
  path: string;
  host: string;
  signer: Signer;
  signing: { signingRegion?: string; signingService?: string };
}

/** One attempt per call, no checksums of its own, and our transport below. */
function sdkClient(settings: S3Settings, transport: S3Transport, version: string): S3Client {
  const { endpoint, credentials } = settings;
  const region = settings.region ?? (endpoint === undefined ? undefined : regionAtCustomEndpoint());
  const client = new S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(credentials === undefined ? {} : { credentials }),
    forcePathStyle: settings.forcePathStyle ?? endpoint !== undefined,
    maxAttempts: 1,
    retryMode: "standard",
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    expectContinueHeader: false,
    // The SDK's own type also allows an older kind of abort signals, which never occur here.
    requestHandler: transport as NonNullable<S3ClientConfig["requestHandler"]>,
    customUserAgent: [["sluice", version]],
  });
  dropOperationName(client);
  return client;
}

function regionAtCustomEndpoint(): string {
  return process.env["AWS_REGION"] ?? process.env["AWS_DEFAULT_REGION"] ?? "us-east-1";
}

/** `x-id` names the operation for readers of logs; Google's XML API rejects it. */
function dropOperationName(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      delete (args.request as { query?: Record<string, unknown> }).query?.["x-id"];
      return next(args);
    },
    { step: "build", name: "sluiceDropOperationName" },
  );
}

function sha256Of(body: Uint8Array | RangeBody): string {
  if (!(body instanceof RangeBody)) return createHash("sha256").update(body).digest("hex");
  if (body.sha256 === undefined) throw new Error("a range to be signed needs its hash");
  return body.sha256;
}

/** How far the store's clock is ahead of our clock. */
function skewMs(serverTime: string | undefined): number {
  const theirs = Date.parse(serverTime ?? "");
  return Number.isNaN(theirs) ? 0 : theirs - Date.now();
}
