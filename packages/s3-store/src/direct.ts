/**
 * A request that carries a body, built and signed as the SDK would, without the dozens of steps the SDK takes for each:
 * the address is the SDK's, learnt once for a bucket, and so are the credentials and the signature.
 */
import { createHash } from "node:crypto";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { ReplyError } from "./errors.ts";
import { escapeKey } from "./uri.ts";
import { RangeBody } from "./request-body.ts";
import type { ExchangeOptions, S3Transport, SdkRequest } from "./transport.ts";

export interface BodyRequest {
  bucket: string;
  key: string;
  query: Readonly<Record<string, string>>;
  /** Lower-case names. */
  headers: Readonly<Record<string, string>>;
  body: Uint8Array | RangeBody;
  /** The signature covers the body's hash; a RangeBody must bring its own. */
  signed: boolean;
}

type SignerOf = S3Client["config"]["signer"];
type Signer = Awaited<ReturnType<SignerOf>>;
type AuthScheme = NonNullable<Parameters<SignerOf>[0]>;

interface Address {
  protocol: string;
  hostname: string;
  port: number | undefined;
  /** Up to and with the slash before the key. */
  path: string;
  host: string;
  signer: Signer;
  signing: { signingRegion?: string; signingService?: string };
}

export class DirectSender {
  readonly #client: S3Client;
  readonly #transport: S3Transport;
  readonly #userAgent: string;
  readonly #addresses = new Map<string, Promise<Address>>();

  constructor(client: S3Client, transport: S3Transport, userAgent: string) {
    this.#client = client;
    this.#transport = transport;
    this.#userAgent = userAgent;
  }

  /** Headers of a 2xx reply, lower-case names. Rejects with a ReplyError for any other, with a TransportError for none. */
  async put(request: BodyRequest, options: ExchangeOptions): Promise<Readonly<Record<string, string>>> {
    const address = await this.#address(request.bucket);
    const { config } = this.#client;
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

  #address(bucket: string): Promise<Address> {
    let address = this.#addresses.get(bucket);
    if (!address) {
      address = this.#learnAddress(bucket);
      this.#addresses.set(bucket, address);
      address.catch(() => this.#addresses.delete(bucket));
    }
    return address;
  }

  /** Has the SDK prepare a Put and takes the address from it instead of sending it. */
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

function sha256Of(body: Uint8Array | RangeBody): string {
  if (!(body instanceof RangeBody)) return createHash("sha256").update(body).digest("hex");
  if (body.sha256 === undefined) throw new Error("a range to be signed brings its hash");
  return body.sha256;
}

/** How far the store's clock is ahead of ours. */
function skewMs(serverTime: string | undefined): number {
  const theirs = Date.parse(serverTime ?? "");
  return Number.isNaN(theirs) ? 0 : theirs - Date.now();
}
