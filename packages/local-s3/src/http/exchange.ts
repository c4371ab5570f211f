/**
 * The types between the HTTP server and the operations: an authenticated request goes in, a reply comes out, and
 * neither depends on sockets.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Authenticated } from "../auth/authenticate.ts";
import type { Payload } from "../body/receive.ts";
import type { Quirks } from "../quirks.ts";
import type { Store } from "../store/store.ts";
import type { Operation } from "./operation.ts";

export interface S3Request {
  readonly operation: Operation;
  /** "" for operations above buckets. */
  readonly bucket: string;
  /** "" for operations on buckets. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: IncomingHttpHeaders;
  readonly auth: Authenticated;
  readonly body: RequestBody;
}

export interface RequestBody {
  /** Starts reading; at most once. */
  open(chunked: { readonly signed: boolean } | undefined): Payload;
  readonly corrupt?: (chunk: Buffer, offset: number) => Buffer;
}

export interface Reply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | DownloadBody;
}

export interface DownloadBody {
  readonly length: number;
  read(): AsyncIterable<Buffer>;
  /** Called exactly once, read or not. */
  release(): Promise<void>;
}

/** What operations act on. */
export interface Endpoint {
  readonly store: Store;
  readonly quirks: Quirks;
  readonly region: string;
  readonly scheme: "http" | "https";
  /** Headers of every reply by which a store names itself. */
  readonly named: Readonly<Record<string, string>>;
  nowMs(): number;
}

export type Handler = (request: S3Request, endpoint: Endpoint) => Reply | Promise<Reply>;

/** A header that HTTP allows once; a repeated one reads as its values joined. */
export function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(",") : value;
}

export const xmlReply = (body: string, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status: 200,
  headers: { "content-type": "application/xml", ...headers },
  body,
});
