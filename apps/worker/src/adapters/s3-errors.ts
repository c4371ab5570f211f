/**
 * What the SDK throws becomes a StoreError that says whose trouble it is and whether the request may have been carried
 * out. Nothing of the SDK's own error is kept: it can hold credentials.
 */
import { StoreError, type StoreTrouble } from "@sluice/core";
import { TransportError } from "./s3-transport.ts";

/** The facts of a failed call, free of SDK types. */
export interface S3Failure {
  /** S3's code, the transport's, or "BadReply". */
  code: string;
  message: string;
  /** Absent: no complete reply came. */
  status: number | undefined;
  /** The request may have reached the store. */
  sent: boolean;
  headers: Readonly<Record<string, string>>;
  /** Named by the store in a refusal that is about the region. */
  region: string | undefined;
}

const THROTTLED = new Set(
  "SlowDown SlowDownRead SlowDownWrite TooManyRequests TooManyRequestsException Throttling ThrottlingException RequestLimitExceeded RequestThrottled BandwidthLimitExceeded".split(
    " ",
  ),
);
const CREDENTIALS = new Set(
  "ExpiredToken ExpiredTokenException TokenRefreshRequired InvalidToken InvalidAccessKeyId SignatureDoesNotMatch InvalidSecurity NotSignedUp AccountProblem AuthFailure Unauthorized UnrecognizedClientException InvalidClientTokenId RequestExpired CredentialsProviderError TokenProviderError".split(
    " ",
  ),
);
const BUCKET = new Set(
  "NoSuchBucket PermanentRedirect TemporaryRedirect Redirect IllegalLocationConstraintException InvalidBucketName AllAccessDisabled".split(
    " ",
  ),
);
const GARBLED = new Set(
  "BadDigest InvalidDigest XAmzContentSHA256Mismatch XAmzContentChecksumMismatch IncompleteBody".split(" "),
);
/** 4xx that pass by themselves. */
const PASSING = new Set(
  "RequestTimeout RequestTimeTooSkewed OperationAborted QuotaExceeded XMinioStorageFull InsufficientStorage".split(
    " ",
  ),
);
/** 5xx that say that nothing was done. */
const NOT_DONE = new Set("NotImplemented InsufficientStorage XMinioStorageFull".split(" "));

/** A reply that is not 2xx, to a request that did not go through the SDK. */
export class ReplyError extends Error {
  override readonly name = "ReplyError";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly code: string;
  readonly region: string | undefined;
  /** ISO; named in a refusal that is about the date. */
  readonly serverTime: string | undefined;

  constructor(status: number, headers: Readonly<Record<string, string>>, body: unknown) {
    const xml = body instanceof Uint8Array ? Buffer.from(body).toString("utf8") : "";
    super(element(xml, "Message") ?? `the store answered ${status}`);
    this.status = status;
    this.headers = headers;
    this.code = element(xml, "Code") ?? `HTTP${status}`;
    this.region = element(xml, "Region") ?? headers["x-amz-bucket-region"];
    this.serverTime = element(xml, "ServerTime") ?? headers["date"];
  }
}

/** S3's error document is flat: one element a fact. */
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

/** Errors that are ours or the caller's pass through: they are not the store's. */
export function failureOf(error: unknown): S3Failure | undefined {
  if (error instanceof TransportError) {
    const { code, message, connected } = error;
    return { code, message, status: undefined, sent: connected, headers: {}, region: undefined };
  }
  if (error instanceof ReplyError) {
    const { code, message, status, headers, region } = error;
    return fromStore({ code, message, status, sent: true, headers, region });
  }
  if (!(error instanceof Error)) return undefined;
  const reply = replyOf(error);
  if (!reply) return undefined;
  const { status, headers } = reply;
  const region = text(error, "Region") ?? headers["x-amz-bucket-region"];
  // A 2xx that could not be understood is not S3's answer, whatever the parser called it.
  const known = status >= 300 || text(error, "Code") !== undefined;
  const code = known ? codeOf(error, status) : "BadReply";
  return fromStore({ code, message: messageOf(error, status), status, sent: true, headers, region });
}

/** A page of HTML below 500 is a proxy's or a portal's word, not the store's. */
function fromStore(failure: S3Failure & { status: number }): S3Failure {
  const html = failure.status < 500 && /text\/html/.test(failure.headers["content-type"] ?? "");
  if (failure.code !== "BadReply" && !html) return failure;
  return { ...failure, code: "BadReply", message: "the reply is not one of an S3 endpoint" };
}

/** `mutating`: the request changes something, so that it matters whether it was carried out. */
export function storeError(failure: S3Failure, what: string, mutating: boolean): StoreError {
  const trouble = troubleOf(failure);
  return new StoreError({
    trouble,
    code: failure.code,
    message: `${what}: ${explain(failure, trouble)}`,
    status: failure.status,
    outcomeUnknown: mutating && outcomeUnknown(failure),
    retryAfterMs: retryAfterMs(failure.headers),
  });
}

function troubleOf({ code, status, region }: S3Failure): StoreTrouble {
  if (status === undefined || code === "BadReply" || PASSING.has(code)) return "unreachable";
  if (THROTTLED.has(code) || status === 429) return "throttled";
  if (CREDENTIALS.has(code) || status === 401) return "credentials";
  if (code === "AuthorizationHeaderMalformed") return region === undefined ? "credentials" : "bucket";
  if (BUCKET.has(code) || code.startsWith("KMS.") || (status >= 300 && status < 400)) return "bucket";
  if (GARBLED.has(code)) return "garbled";
  if (status === 501 || code === "NotImplemented") return "rejected";
  if (status >= 500 || status === 408) return "unreachable";
  if (status === 403) return "denied";
  return "rejected";
}

function outcomeUnknown({ code, status, sent }: S3Failure): boolean {
  if (status === undefined) return sent;
  if (code === "BadReply") return true;
  return status >= 500 && !THROTTLED.has(code) && !NOT_DONE.has(code);
}

function explain({ code, message, status, region }: S3Failure, trouble: StoreTrouble): string {
  const said = status === undefined ? message : `${message} (${code}, HTTP ${status})`;
  if (trouble === "bucket" && region !== undefined)
    return `${said}; the bucket is in region ${region}: set SLUICE_S3_REGION`;
  if (code === "EntityTooLarge") return `${said}; the store takes no object or part of this size`;
  if (code === "RequestTimeTooSkewed")
    return `${said}; the clock of this host is wrong, requests are now dated by the store's`;
  return said;
}

/** Seconds or an HTTP date; past dates are no wait. */
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

/** The HTTP reply the SDK hides in its errors. */
function replyOf(error: Error): Reply | undefined {
  const response = field(error, "$response");
  const metadata = field(error, "$metadata");
  const status = field(response, "statusCode") ?? field(metadata, "httpStatusCode");
  if (typeof status !== "number") return undefined;
  const headers = field(response, "headers");
  return { status, headers: isStrings(headers) ? headers : {} };
}

function codeOf(error: Error, status: number): string {
  const code = text(error, "Code") ?? error.name;
  return code === "" || code === "Error" || code === "UnknownError" || code === "Unknown"
    ? `HTTP${status}`
    : code;
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
