/**
 * Requests that are refused before Next sees them. Next reads bodies of any length into memory, hides the socket from
 * routes and joins repeated headers, so requests are first checked here, at Node's own server.
 */
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { bucketsOf } from "./auth/address-buckets.ts";
import { peerHeader } from "./auth/peer-header.ts";
import type { Trust } from "./auth/proxy-trust.ts";
import { requestFacts } from "./auth/request-facts.ts";
import type { WebSettings } from "./settings.ts";

export const HTTP_LIMITS = {
  /** Plans contain a filter or a page of ids, so no request of our own pages comes near this. */
  bodyBytes: 100 * 1024,
  /** Enough for an office behind one address: a live feed for each user, and their pages. */
  openRequestsOfAddress: 128,
  /** Headers and body must have arrived by then, or the connection is closed. */
  requestMs: 30_000,
  /** How much of a refused body is read and discarded, so that the sender can see the reason. */
  refusedBodyBytes: 1024 * 1024,
} as const;

/** Half a year, only for this host name. */
const HSTS = "max-age=15552000";

const HEADERS_OF_EVERY_ANSWER = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
} as const;

const BODYLESS = new Set(["GET", "HEAD", "OPTIONS", "DELETE", "TRACE"]);

export interface Arrival {
  method: string;
  url: string;
  /** Undefined if the header is missing. */
  contentLength: string | undefined;
  transferEncoding: string | undefined;
  /** Names in lower case, once for each time they were sent. */
  headerNames: readonly string[];
  /** Requests from the same address that are not answered yet. */
  openRequests: number;
}

export type Admission = { ok: true } | { ok: false; status: 400 | 404 | 411 | 413 | 429; why: string };

/** `identity`: the headers in which a proxy names user and groups. */
export function admit(arrival: Arrival, identity: readonly string[]): Admission {
  if (arrival.openRequests >= HTTP_LIMITS.openRequestsOfAddress) {
    return refused(429, `${arrival.openRequests} requests of this address are still open: try again later`);
  }
  // A body of unknown length cannot be refused before it is read.
  if (arrival.transferEncoding !== undefined) return refused(411, "a body must come with its content-length");
  if (arrival.contentLength === undefined && !BODYLESS.has(arrival.method)) {
    return refused(411, "a body must come with its content-length");
  }
  if (Number(arrival.contentLength ?? 0) > HTTP_LIMITS.bodyBytes)
    return refused(413, "the request is too large");
  // If a proxy added its own header to one sent by the client, both would be trusted.
  const twice = identity.find((name) => arrival.headerNames.filter((sent) => sent === name).length > 1);
  if (twice !== undefined) return refused(400, `the header ${twice} came twice`);
  return isDecodable(arrival.url) ? { ok: true } : refused(404, "page not found");
}

function refused(status: 400 | 404 | 411 | 413 | 429, why: string): Admission {
  return { ok: false, status, why };
}

function isDecodable(url: string): boolean {
  try {
    decodeURIComponent(url.split("?", 1)[0] ?? "");
    return true;
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}

/** Called once, before the first request is answered and after peers are recorded. */
export function limitRequests(settings: WebSettings, isTrusted: Trust): void {
  const guarded = new WeakSet<Server>();
  const open = new Map<string, number>();
  const identity =
    settings.auth.mode === "proxy" ? [settings.auth.userHeader, settings.auth.groupsHeader] : [];
  subscribe("http.server.request.start", (message) => {
    // Published before the server passes the request to its listeners, so ours can replace them for this request.
    const { server } = message as { server: Server };
    if (guarded.has(server)) return;
    guarded.add(server);
    server.requestTimeout = HTTP_LIMITS.requestMs;
    server.headersTimeout = HTTP_LIMITS.requestMs;
    const listeners = server.listeners("request");
    server.removeAllListeners("request");
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      const facts = requestFacts(headersOf(request), isTrusted);
      setHeaders(response, facts.https);
      const { exact } = bucketsOf(facts.client);
      const openRequests = open.get(exact) ?? 0;
      const admission = admit(arrivalOf(request, openRequests), identity);
      if (!admission.ok) return refuse(request, response, admission);
      open.set(exact, openRequests + 1);
      response.once("close", () => {
        const left = (open.get(exact) ?? 1) - 1;
        if (left > 0) open.set(exact, left);
        else open.delete(exact);
      });
      for (const listener of listeners) listener.call(server, request, response);
    });
  });
}

function arrivalOf(request: IncomingMessage, openRequests: number): Arrival {
  return {
    method: request.method ?? "",
    url: request.url ?? "",
    contentLength: request.headers["content-length"],
    transferEncoding: request.headers["transfer-encoding"],
    headerNames: request.rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()),
    openRequests,
  };
}

/** Only the headers that say where a request comes from. */
function headersOf({ headers }: IncomingMessage): Headers {
  const kept = new Headers();
  for (const name of [peerHeader(), "host", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"]) {
    const value = headers[name];
    if (value !== undefined) kept.set(name, String(value));
  }
  return kept;
}

function setHeaders(response: ServerResponse, https: boolean): void {
  for (const [name, value] of Object.entries(HEADERS_OF_EVERY_ANSWER)) response.setHeader(name, value);
  if (https) response.setHeader("strict-transport-security", HSTS);
}

/** Sends the response at once; what the client still sends is discarded, up to a limit. */
function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { status, why }: Extract<Admission, { ok: false }>,
): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    ...(status === 429 ? { "retry-after": "5" } : {}),
  });
  response.end(`${why}\n`);
  let read = 0;
  request.on("data", (chunk: Buffer) => {
    read += chunk.length;
    if (read > HTTP_LIMITS.refusedBodyBytes) request.destroy();
  });
}
