/**
 * One HTTP exchange, bounded in time and memory, which ends exactly once. When it fails, its socket is closed before
 * the caller knows, so the body's memory may be reused at once.
 *
 *   request ─► socket ─► body ─► headers ─► reply in memory ─► resolved     (or the reply as a stream: resolved at its headers)
 *      └──────────┴────────┴────────┴─────────────┴──────────► rejected     by deadline, silence, abort, error
 */
import http, { type ClientRequest, type IncomingMessage } from "node:http";
import https from "node:https";
import { LIMITS } from "@sluice/core";
import { type BandwidthLimit, isRangeBody, type RequestBody, sendBody } from "./body.ts";
import { StorePulse } from "./pulse.ts";

const TRANSPORT_LIMITS = {
  /** An unused socket is closed after this long, because routers drop idle connections without notice. */
  idleSocketMs: 30_000,
  /** Time for one address of the endpoint before the next is tried as well. */
  addressAttemptMs: 1_000,
  /** The longest reply read into memory: a listing of 1,000 keys of 1 KiB. */
  replyBytes: 16 * 1024 * 1024,
} as const;

/** What the SDK passes to its request handler. */
export interface SdkRequest {
  protocol: string;
  hostname: string;
  port?: number | undefined;
  method: string;
  path: string;
  query?: Record<string, string | string[] | null> | undefined;
  headers: Record<string, string>;
  body?: RequestBody | undefined;
}

interface SdkResponse {
  statusCode: number;
  reason?: string;
  headers: Record<string, string>;
  body: Uint8Array | IncomingMessage;
}

export interface ExchangeOptions {
  abortSignal?: AbortSignal;
  /** Time for the whole exchange; for a streamed reply, until its headers. */
  deadlineMs?: number;
  /** Each received byte restarts the deadline, and silence alone does not end the exchange. */
  keptAliveByBytes?: boolean;
  /** A 2xx reply's body is returned as a stream. */
  streamReply?: boolean;
}

const EXCHANGE_OVER = new Error("the exchange is over");

/** There was no complete reply. */
export class TransportError extends Error {
  override readonly name = "TransportError";
  readonly code: string;
  /** The connection was established, so the request may have been received. */
  readonly connected: boolean;

  constructor(code: string, message: string, connected: boolean, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.connected = connected;
  }
}

export class S3Transport implements Disposable {
  readonly metadata = { handlerProtocol: "http/1.1" };
  readonly #http: http.Agent;
  readonly #https: https.Agent;
  readonly #bandwidth: BandwidthLimit | undefined;
  readonly #pulse: StorePulse;

  /** `sockets`: the maximum number of open sockets. */
  constructor(options: { sockets: number; bandwidth?: BandwidthLimit | undefined; pulse?: StorePulse }) {
    const { idleSocketMs, addressAttemptMs } = TRANSPORT_LIMITS;
    const agentOptions = {
      keepAlive: true,
      maxSockets: options.sockets,
      maxFreeSockets: options.sockets,
      timeout: idleSocketMs,
      autoSelectFamilyAttemptTimeout: addressAttemptMs,
    };
    this.#http = new http.Agent(agentOptions);
    this.#https = new https.Agent(agentOptions);
    this.#bandwidth = options.bandwidth;
    this.#pulse = options.pulse ?? new StorePulse();
  }

  /** Rejects with a TransportError, with the signal's reason, or with the error of a body's source. */
  async handle(request: SdkRequest, options: ExchangeOptions = {}): Promise<{ response: SdkResponse }> {
    options.abortSignal?.throwIfAborted();
    const req = this.#request(request, options);
    const means = { bandwidth: this.#bandwidth, pulse: this.#pulse };
    try {
      return { response: await exchange(req, request.body, options, means) };
    } catch (error) {
      if (!isIdleClose(req, error)) throw error;
      return { response: await exchange(this.#request(request, options), request.body, options, means) };
    }
  }

  #request(request: SdkRequest, options: ExchangeOptions): ClientRequest {
    const secure = request.protocol === "https:";
    return (secure ? https : http).request({
      agent: secure ? this.#https : this.#http,
      host: request.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: request.port,
      method: request.method,
      path: pathWithQuery(request),
      headers: request.headers,
      timeout: options.keptAliveByBytes === true ? 0 : this.#pulse.quietMs,
    });
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): object {
    return {};
  }

  destroy(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  [Symbol.dispose](): void {
    this.destroy();
  }
}

function exchange(
  req: ClientRequest,
  body: RequestBody | undefined,
  options: ExchangeOptions,
  { bandwidth, pulse }: { bandwidth: BandwidthLimit | undefined; pulse: StorePulse },
): Promise<SdkResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<SdkResponse>();
  const { abortSignal, deadlineMs = LIMITS.storeControlMs, keptAliveByBytes = false } = options;
  // A body in memory is written to the socket in one call; anything else is written in pieces.
  const fed = body !== undefined && (isRangeBody(body) || (bandwidth !== undefined && body.length > 0));
  const over = fed ? new AbortController() : undefined;
  const beat = pulse.begin(keptAliveByBytes);
  let connected = false;
  let reply: IncomingMessage | undefined;

  const end = (): void => {
    clearTimeout(deadline);
    beat[Symbol.dispose]();
    req.socket?.off("timeout", onQuiet);
    abortSignal?.removeEventListener("abort", onAbort);
    over?.abort(EXCHANGE_OVER);
  };
  const fail = (error: unknown): void => {
    end();
    // A streamed reply reports it by its own error.
    if (reply && !reply.destroyed) reply.destroy(error instanceof Error ? error : undefined);
    req.destroy();
    reject(error);
  };
  const failAs = (code: string, message: string, cause?: unknown): void =>
    fail(new TransportError(code, message, connected, cause));
  const onAbort = (): void => fail(abortSignal?.reason);
  const seconds = deadlineMs / 1000;
  const deadline = setTimeout(() => failAs("DeadlineExceeded", `no reply within ${seconds} s`), deadlineMs);
  abortSignal?.addEventListener("abort", onAbort, { once: true });

  const onQuiet = (): void => {
    if (beat.quiet() >= pulse.giveUpMs)
      failAs("Silence", `no byte either way for ${pulse.giveUpMs / 1000} s`);
    else req.socket?.setTimeout(pulse.quietMs);
  };
  req.on("socket", (socket) => {
    // The request itself only gets the first timeout.
    socket.on("timeout", onQuiet);
    if (!socket.connecting) connected = true;
    else socket.once("encrypted" in socket ? "secureConnect" : "connect", () => void (connected = true));
  });
  req.on("error", (error) => {
    // Once a reply has begun, it reports itself whether it is complete.
    if (!reply) failAs(codeOf(error), error.message, error);
  });
  req.on("information", () => void (keptAliveByBytes && deadline.refresh()));
  req.on("response", (res) => {
    reply = res;
    beat.heard();
    const status = res.statusCode ?? 0;
    const settle = (content: Uint8Array | IncomingMessage): void => {
      end();
      // A reply before the whole body was sent: the rest must no longer be read from memory.
      if (!req.writableFinished) req.destroy();
      resolve({ statusCode: status, headers: headersOf(res), body: content });
    };
    if (options.streamReply === true && status >= 200 && status < 300) return settle(res);
    readReply(res, () => void (keptAliveByBytes && deadline.refresh())).then(settle, (error: unknown) =>
      failAs(codeOf(error), messageOf(error), error),
    );
  });
  if (over && body !== undefined) sendBody(req, body, bandwidth, over.signal).catch(fail);
  else req.end(body);
  return promise;
}

/** A read-only request that met the server closing a connection it thought idle. It is repeated once. */
function isIdleClose(req: ClientRequest, error: unknown): boolean {
  const question = req.method === "GET" || req.method === "HEAD";
  const closed = error instanceof TransportError && (error.code === "ECONNRESET" || error.code === "EPIPE");
  return question && closed && req.reusedSocket;
}

/** The reply's body without the white space that keeps a long Complete alive. */
function readReply(res: IncomingMessage, onBytes: () => void): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    res.on("data", (chunk: Uint8Array) => {
      onBytes();
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > TRANSPORT_LIMITS.replyBytes)
        reject(new Error(`a reply of more than ${TRANSPORT_LIMITS.replyBytes} bytes`));
    });
    res.on("error", reject);
    res.on("end", () => resolve(trimmed(chunks)));
  });
}

const NOTHING = new Uint8Array(0);

function trimmed(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 0) return NOTHING;
  const whole = chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks);
  let [from, to] = [0, whole.length];
  while (from < to && isSpace(whole[from])) from += 1;
  while (to > from && isSpace(whole[to - 1])) to -= 1;
  return whole.subarray(from, to);
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function headersOf(res: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(res.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return headers;
}

function pathWithQuery({ path, query }: SdkRequest): string {
  let text = "";
  for (const name in query) {
    for (const value of [query[name]].flat()) {
      text += (text === "" ? "?" : "&") + escapeUri(name);
      if (typeof value === "string") text += `=${escapeUri(value)}`;
    }
  }
  return path + text;
}

/** Paths and queries are escaped exactly as in the signature: everything except A-Z a-z 0-9 - _ . ~ */
export function escapeUri(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Escapes each segment of the key; slashes stay. */
export function escapeKey(key: string): string {
  return key.split("/").map(escapeUri).join("/");
}

function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.name : "Error";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
