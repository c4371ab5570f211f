/**
 * Converts the SDK's errors to StoreErrors, which say who is affected and whether the request may have been carried
 * out. Nothing of the SDK's own error is kept, because it can contain credentials.
 */
import { StoreError, type StoreTrouble } from "@sluice/core";
import { TransportError } from "./transport.ts";
import { isThrottled, storeTrouble } from "./verdict.ts";

/** The facts of a failed call, free of SDK types. */
export interface S3Failure {
  /** S3's code, the transport's, or "BadReply". */
  code: string;
  message: string;
  /** Absent: there was no complete reply. */
  status: number | undefined;
  /** The request may have reached the store. */
  sent: boolean;
  headers: Readonly<Record<string, string>>;
  /** From a refusal about the region. */
  region: string | undefined;
  /** The body of the reply is another program's page or document (HTML, JSON), such as a proxy's or a firewall's. */
  page: boolean;
}

/** 5xx codes that say that nothing was done. */
const NOT_DONE = new Set("NotImplemented InsufficientStorage XMinioStorageFull".split(" "));

/** A reply that is not 2xx, to a request that was sent without the SDK. */
export class ReplyError extends Error {
  override readonly name = "ReplyError";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly code: string;
  /** The body contained a code. */
  readonly named: boolean;
  readonly region: string | undefined;
  /** ISO; from a refusal about the date. */
  readonly serverTime: string | undefined;

  constructor(status: number, headers: Readonly<Record<string, string>>, body: unknown) {
    const xml = body instanceof Uint8Array ? Buffer.from(body).toString("utf8") : "";
    super(element(xml, "Message") ?? `the store answered ${status}`);
    this.status = status;
    this.headers = headers;
    const named = element(xml, "Code");
    this.named = named !== undefined;
    this.code = named ?? `HTTP${status}`;
    this.region = element(xml, "Region") ?? headers["x-amz-bucket-region"];
    this.serverTime = element(xml, "ServerTime") ?? headers["date"];
  }
}

/** S3's error document is flat: one element per fact. */
function element(xml: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]?.trim();
  if (found === undefined || found === "") return undefined;
  return found.replace(/&(amp|lt|gt|quot|apos|#39|#34);/g, (_all, entity: string) => ENTITIES[entity] ?? "");
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  "#39": "'",
  "#34": '"',
};

/** Undefined for our own and the caller's errors, which are not the store's. */
export function failureOf(error: unknown): S3Failure | undefined {
  if (error instanceof TransportError) {
    const { code, message, connected } = error;
    return {
      code,
      message,
      status: undefined,
      sent: connected,
      headers: {},
      region: undefined,
      page: false,
    };
  }
  if (error instanceof ReplyError) {
    const { code, message, status, headers, region } = error;
    return { code, message, status, sent: true, headers, region, page: isPage(headers, error.named) };
  }
  if (!(error instanceof Error)) return undefined;
  const reply = replyOf(error);
  if (!reply) return undefined;
  const { status, headers } = reply;
  const region = text(error, "Region") ?? headers["x-amz-bucket-region"];
  // The SDK has its own names for replies without a code, and for those it could not parse.
  const named = text(error, "Code");
  const common = { status, sent: true, headers, region };
  // A 2xx that could not be parsed is not S3's answer, whatever the parser called it.
  if (status < 300 && named === undefined) {
    return { ...common, code: "BadReply", message: NOT_S3, page: true };
  }
  const page = isPage(headers, named !== undefined);
  const code = named ?? `HTTP${status}`;
  const message = named === undefined && page ? NOT_S3 : messageOf(error, status);
  return { ...common, code, message, page };
}

const NOT_S3 = "the reply is not one of an S3 endpoint";

/** Some S3 stores send their own documents as text/html: these contain a code. */
function isPage(headers: Readonly<Record<string, string>>, named: boolean): boolean {
  return !named && /\b(?:html|json)\b/.test(headers["content-type"] ?? "");
}

/** `mutating`: the request changes something, so it matters whether it was carried out. */
export function storeError(
  failure: S3Failure,
  what: string,
  mutating: boolean,
  trouble: StoreTrouble = storeTrouble(failure),
): StoreError {
  return new StoreError({
    trouble,
    code: failure.code,
    message: `${what}: ${explain(failure, trouble)}`,
    status: failure.status,
    outcomeUnknown: mutating && outcomeUnknown(failure),
    retryAfterMs: retryAfterMs(failure.headers),
  });
}

function outcomeUnknown({ code, status, sent, page }: S3Failure): boolean {
  if (status === undefined) return sent;
  if (page) return status !== 413;
  return status >= 500 && !isThrottled(code) && !NOT_DONE.has(code);
}

function explain(failure: S3Failure, trouble: StoreTrouble): string {
  const { code, message, status, region } = failure;
  const said = status === undefined ? message : `${message} (${code}, HTTP ${status})`;
  const redirectedTo = trouble === "unreachable" ? redirectTarget(failure) : undefined;
  if (trouble === "bucket" && region !== undefined)
    return `${said}; the bucket is in region ${region}: set SLUICE_S3_REGION`;
  if (status === 413 && code !== "EntityTooLarge")
    return `${said}; a proxy on the way limits the size of a body: raise its limit above SLUICE_PART_SIZE (nginx: client_max_body_size), or lower SLUICE_PART_SIZE`;
  if (redirectedTo !== undefined)
    return `${said}; the answer redirects to ${redirectedTo}: name the store's own address in SLUICE_S3_ENDPOINT, or sign in to the network`;
  if (code === "EntityTooLarge") return `${said}; the store does not accept an object or part of this size`;
  if (code === "RequestTimeTooSkewed")
    return `${said}; the clock of this host is wrong, requests now use the store's time`;
  return said;
}

/** Only the origin: a page's address may hold a token. */
function redirectTarget({ status = 0, headers }: S3Failure): string | undefined {
  const location = headers["location"];
  if (status < 300 || status >= 400 || location === undefined || !URL.canParse(location)) return undefined;
  const { protocol, origin } = new URL(location);
  return /^https?:$/.test(protocol) ? origin : undefined;
}

/** Seconds or an HTTP date; a date in the past means no wait. */
export function retryAfterMs(
  headers: Readonly<Record<string, string>>,
  nowMs = Date.now(),
): number | undefined {
  const value = headers["retry-after"]?.trim();
  if (value === undefined || value === "") return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1000);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}

interface Reply {
  status: number;
  headers: Readonly<Record<string, string>>;
}

/** The HTTP reply that the SDK hides in its errors. */
function replyOf(error: Error): Reply | undefined {
  const response = field(error, "$response");
  const metadata = field(error, "$metadata");
  const status = field(response, "statusCode") ?? field(metadata, "httpStatusCode");
  if (typeof status !== "number") return undefined;
  const headers = field(response, "headers");
  return { status, headers: isStrings(headers) ? headers : {} };
}

function messageOf(error: Error, status: number): string {
  const { message } = error;
  return message === "" || message === "UnknownError" || message === "Unknown"
    ? `the store answered ${status}`
    : message;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && name in value
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function text(error: Error, name: string): string | undefined {
  const value = field(error, name);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function isStrings(value: unknown): value is Record<string, string> {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every((one) => typeof one === "string")
  );
}
