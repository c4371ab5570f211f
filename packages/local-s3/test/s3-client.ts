/** A bare HTTP client for S3: what it sends is exactly what the test says, signed by a third party's signer (aws4). */
import { createHash } from "node:crypto";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import aws4 from "aws4";

export interface Target {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface Call {
  readonly method: string;
  /** Omitted: the bucket itself. */
  readonly key?: string;
  /** Omitted: the target's; "": the service. */
  readonly bucket?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Default "header". */
  readonly auth?: "header" | "query" | "none";
  /** Changes the signed request before it is sent: how forgeries are made. */
  readonly tamper?: (request: { path: string; headers: Record<string, string> }) => void;
  readonly as?: {
    readonly accessKeyId?: string;
    readonly secretAccessKey?: string;
    readonly region?: string;
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly bytes: Buffer;
  readonly text: string;
  /** The Code of an S3 error document; "" for a success or a HEAD. */
  readonly code: string;
}

/** Objects of many MiB are read by the bytes: as text they would take longer than all else in a test. */
class Received implements Answer {
  readonly status: number;
  readonly headers: Answer["headers"];
  readonly bytes: Buffer;
  #text: string | undefined;

  constructor(status: number, headers: Answer["headers"], bytes: Buffer) {
    this.status = status;
    this.headers = headers;
    this.bytes = bytes;
  }

  get text(): string {
    return (this.#text ??= this.bytes.toString());
  }

  get code(): string {
    return this.status < 300 && !this.bytes.subarray(0, ERROR_WITHIN_BYTES).includes("<Error>")
      ? ""
      : errorCode(this.text);
  }
}

/** An error document in a reply of 200 comes after an XML declaration. */
const ERROR_WITHIN_BYTES = 200;

export class S3Client {
  readonly target: Target;

  constructor(target: Target) {
    this.target = target;
  }

  async call(call: Call): Promise<Answer> {
    const { path, headers } = this.#signed(call);
    const signed = { path, headers };
    call.tamper?.(signed);
    return this.send(call.method, signed.path, signed.headers, call.body);
  }

  send(
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: string | Buffer,
  ): Promise<Answer> {
    const url = new URL(this.target.endpoint);
    const request = url.protocol === "https:" ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const sent = request({ host: url.hostname, port: url.port, method, path, headers }, (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        res.on("error", reject);
        res.on("end", () => {
          const bytes = Buffer.concat(chunks);
          const answerHeaders = Object.fromEntries(
            Object.entries(res.headers).map(([name, value]) => [name, String(value)]),
          );
          resolve(new Received(res.statusCode ?? 0, answerHeaders, bytes));
        });
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }

  #signed(call: Call): { path: string; headers: Record<string, string> } {
    const { target } = this;
    const url = new URL(target.endpoint);
    const bucket = call.bucket ?? target.bucket;
    const query = new URLSearchParams(call.query).toString().replaceAll("+", "%20");
    const plainPath = `/${bucket}${call.key === undefined ? "" : `/${encodeKey(call.key)}`}${query === "" ? "" : `?${query}`}`;
    const body = call.body ?? "";
    const headers: Record<string, string> = { host: url.host, ...call.headers };
    const hasLength = "content-length" in headers || "transfer-encoding" in headers;
    if (!hasLength && (call.method === "PUT" || call.method === "POST")) {
      headers["content-length"] = String(Buffer.byteLength(body));
    }
    if (call.auth === "none") return { path: plainPath, headers };
    if (call.auth !== "query")
      headers["x-amz-content-sha256"] ??= createHash("sha256").update(body).digest("hex");
    const signed = aws4.sign(
      {
        service: "s3",
        region: call.as?.region ?? target.region,
        method: call.method,
        path: plainPath,
        headers,
        signQuery: call.auth === "query",
      },
      {
        accessKeyId: call.as?.accessKeyId ?? target.accessKeyId,
        secretAccessKey: call.as?.secretAccessKey ?? target.secretAccessKey,
      },
    );
    return { path: signed.path ?? "", headers: signed.headers as Record<string, string> };
  }
}

/** As RFC 3986 has it, which is what signatures are made of: !'()* are encoded too. */
const encodeKey = (key: string): string =>
  encodeURIComponent(key)
    .replaceAll("%2F", "/")
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

const errorCode = (text: string): string => /<Error>.*?<Code>([^<]*)<\/Code>/s.exec(text)?.[1] ?? "";

/** The text of the first element of that name, entities of quotes undone; "" when there is none. */
export const tag = (text: string, name: string): string =>
  (new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? "").replaceAll("&quot;", '"');

export const tags = (text: string, name: string): string[] =>
  [...text.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))].map((match) =>
    (match[1] ?? "").replaceAll("&quot;", '"'),
  );
