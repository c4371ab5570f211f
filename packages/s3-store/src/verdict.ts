/**
 * What a reply that is not a success means, for every request of the worker: an answer, or an error of the request, the
 * bucket or the store. A pure function of the request and the reply, so that every pair is a row of a test. A refusal
 * or a 5xx counts against the whole store only if another request, which should succeed, fails too: a firewall, a proxy
 * or one odd name must not stop the other streams. `asks` says that this must be found out first.
 */
import type { StoreTrouble } from "@sluice/core";
import type { S3Failure } from "./errors.ts";

export const STORE_REQUESTS = [
  "CreateMultipartUpload",
  "UploadPart",
  "UploadPartCopy",
  "CompleteMultipartUpload",
  "PutObject",
  "HeadObject",
  "ListParts",
  "ListMultipartUploads",
  "AbortMultipartUpload",
  "GetObject",
] as const;
export type StoreRequest = (typeof STORE_REQUESTS)[number];

export interface Asked {
  request: StoreRequest;
  /** The condition of the request. */
  condition?: "if-match" | "if-none-match" | undefined;
  /** Codes with which this store refuses a body that differs from its checksum, according to the probe. */
  wrongChecksumCodes?: readonly string[] | undefined;
}

export type Answer =
  /** The condition was not met, or is not supported: HeadObject decides. */
  | "conflict"
  /** The upload is not open. */
  | "gone"
  /** No object exists there. */
  | "missing"
  | "invalid_part"
  /** The object to copy from no longer exists, or is another. */
  | "source_changed"
  /** The store does not copy this: its bytes must be sent. */
  | "not_copied"
  /** Complete of an upload whose object was deleted since (Ceph 16), or that another request is completing. */
  | "in_progress";

export type Verdict =
  | { kind: "answer"; answer: Answer }
  /** `asks`: it concerns only this request if another request, which should succeed, does succeed. */
  | { kind: "trouble"; trouble: StoreTrouble; asks: boolean };

const THROTTLED = words(
  "SlowDown SlowDownRead SlowDownWrite TooManyRequests TooManyRequestsException Throttling ThrottlingException RequestLimitExceeded RequestThrottled BandwidthLimitExceeded",
);
const CREDENTIALS = words(
  "ExpiredToken ExpiredTokenException TokenRefreshRequired InvalidToken InvalidAccessKeyId InvalidSecurity NotSignedUp AccountProblem AuthFailure UnrecognizedClientException InvalidClientTokenId RequestExpired CredentialsProviderError TokenProviderError",
);
/** Errors of the credentials, unless the store reads this key's path differently than it was signed. */
const SIGNATURE = words("SignatureDoesNotMatch Unauthorized");
const REDIRECTS = words("PermanentRedirect TemporaryRedirect Redirect");
/** Errors of the bucket, unless an odd key makes the store look for another bucket. */
const NO_BUCKET = words("NoSuchBucket InvalidBucketName");
const BUCKET = words("IllegalLocationConstraintException AllAccessDisabled");
const GARBLED = words(
  "BadDigest InvalidDigest XAmzContentSHA256Mismatch XAmzContentChecksumMismatch IncompleteBody",
);
/** Temporary 4xx. */
const PASSING = words(
  "RequestTimeout RequestTimeTooSkewed OperationAborted QuotaExceeded XMinioStorageFull InsufficientStorage",
);
const CONFLICTS = words("ConditionalRequestConflict PreconditionFailed Conflict HTTP409");
const REFUSED_PARTS = words("InvalidPart InvalidPartOrder EntityTooSmall");
/** Codes for "this upload is not open": S3's own, and those of stores that report a missing key instead. */
const UPLOAD_GONE = words("NoSuchUpload NoSuchKey NotFound HTTP404");
/** Refusals of parts of the request other than its key. */
const NOT_THE_NAME = words(
  "EntityTooLarge EntityTooSmall MetadataTooLarge MissingContentLength MalformedXML InvalidStorageClass InvalidTag InvalidEncryptionAlgorithmError InvalidRange MissingSecurityHeader UnsupportedArgument BucketAlreadyExists",
);
/** Codes so general that the body's checksum may be meant. */
const VAGUE = words("InvalidArgument InvalidRequest InvalidURI HTTP400");

const NAMES_A_KEY: ReadonlySet<StoreRequest> = new Set(["CreateMultipartUpload", "PutObject", "HeadObject"]);
const ABOUT_AN_UPLOAD: ReadonlySet<StoreRequest> = new Set([
  "UploadPart",
  "CompleteMultipartUpload",
  "ListParts",
  "AbortMultipartUpload",
]);
const CARRIES_A_BODY: ReadonlySet<StoreRequest> = new Set(["UploadPart", "PutObject"]);
/** Refusals that may be about a key's name. */
const NAME_STATUS: ReadonlySet<number> = new Set([400, 404, 405, 406, 409, 410, 414, 422]);

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(" "));
}

export function verdictOf(seen: S3Failure, asked: Asked): Verdict {
  // A reply to HEAD has no body, whatever its content type says.
  const failure = asked.request === "HeadObject" ? { ...seen, page: false } : seen;
  const answer = answerOf(failure, asked);
  if (answer !== undefined) return { kind: "answer", answer };
  if (failure.status !== undefined && isGarbled(failure, asked)) return sure("garbled");
  if (isFailing(failure)) return { kind: "trouble", trouble: "failing", asks: true };
  return isOwnMatter(failure) ? ownTrouble(failure, asked) : sure(storeTrouble(failure));
}

function sure(trouble: StoreTrouble): Verdict {
  return { kind: "trouble", trouble, asks: false };
}

function answerOf(failure: S3Failure, asked: Asked): Answer | undefined {
  const { request, condition } = asked;
  const { status, code } = failure;
  if (status === undefined) return undefined;
  if (request === "CompleteMultipartUpload") {
    if (REFUSED_PARTS.has(code)) return "invalid_part";
    if (status === 500 && /completion is already in progress/i.test(failure.message)) return "in_progress";
  }
  if (request === "UploadPartCopy") return copyAnswerOf(failure);
  if (condition !== undefined && isConditionRefused(failure, condition)) return "conflict";
  if (status !== 404 || code === "NoSuchBucket") return undefined;
  if (request === "HeadObject") return "missing";
  if (!ABOUT_AN_UPLOAD.has(request) || failure.page || !UPLOAD_GONE.has(code)) return undefined;
  return "gone";
}

/** A refusal for any other reason will occur again, and be reported, when the bytes are sent instead. */
function copyAnswerOf(failure: S3Failure): Answer | undefined {
  const { status, code, page } = failure;
  if (page || status === undefined || NO_BUCKET.has(code)) return undefined;
  if (code === "NoSuchUpload") return "gone";
  if (status === 412 || status === 304 || (status === 404 && UPLOAD_GONE.has(code))) return "source_changed";
  const trouble = storeTrouble(failure);
  return trouble === "denied" || trouble === "rejected" ? "not_copied" : undefined;
}

/** Some stores use 3xx and 501 to say that a condition was not met or is not supported. */
function isConditionRefused({ status, code, page }: S3Failure, condition: "if-match" | "if-none-match") {
  if (status === undefined || page || PASSING.has(code) || REDIRECTS.has(code)) return false;
  // Any other 409 names what conflicts with this key, with or without a condition.
  if (status === 409) return CONFLICTS.has(code);
  if (status === 412 || (status >= 300 && status < 400) || status === 501) return true;
  // If-Match at a key without an object is answered with 404.
  return condition === "if-match" && (code === "NoSuchKey" || code === "HTTP404");
}

function isGarbled({ code, message, page }: S3Failure, { request, wrongChecksumCodes }: Asked): boolean {
  if (GARBLED.has(code)) return true;
  if (page || !CARRIES_A_BODY.has(request) || wrongChecksumCodes?.includes(code) !== true) return false;
  return !VAGUE.has(code) || /checksum|digest|md5|crc|sha256/i.test(message);
}

export function isThrottled(code: string): boolean {
  return THROTTLED.has(code);
}

/** The classification of a failure of a request that should succeed. */
export function storeTrouble({ status, code, region, page }: S3Failure): StoreTrouble {
  if (status === undefined || code === "BadReply" || PASSING.has(code)) return "unreachable";
  if (THROTTLED.has(code) || status === 429) return "throttled";
  if (CREDENTIALS.has(code) || SIGNATURE.has(code)) return "credentials";
  if (code === "AuthorizationHeaderMalformed") return region === undefined ? "credentials" : "bucket";
  if (NO_BUCKET.has(code) || BUCKET.has(code) || REDIRECTS.has(code) || code.startsWith("KMS."))
    return "bucket";
  if (GARBLED.has(code)) return "garbled";
  if (status === 501 || code === "NotImplemented") return "rejected";
  // 407: the proxy requires its own credentials.
  if (status >= 500 || status === 408 || status === 407 || page) return "unreachable";
  // S3 says which region or code it means; a redirect without either sends us to somebody else's page.
  if (status >= 300 && status < 400) return region === undefined ? "unreachable" : "bucket";
  if (status === 401) return "credentials";
  if (status === 403) return "denied";
  return "rejected";
}

/** A failure of the store without a reason that would concern every request. */
function isFailing(failure: S3Failure): boolean {
  const { status = 0, code } = failure;
  return status >= 500 && !PASSING.has(code) && storeTrouble(failure) === "unreachable";
}

/** A refusal that may concern this request alone. */
export function isOwnMatter(failure: S3Failure): boolean {
  const { status, code, page } = failure;
  if (status === undefined || status < 300 || (status >= 500 && status !== 501)) return false;
  switch (storeTrouble(failure)) {
    case "denied":
    case "rejected":
    case "name":
      return true;
    case "credentials":
      return SIGNATURE.has(code) || code.startsWith("HTTP");
    case "bucket":
      return NO_BUCKET.has(code) || REDIRECTS.has(code) || status < 400;
    case "unreachable":
      return (page || status < 400) && status !== 408 && status !== 407;
    case "failing":
    case "throttled":
    case "garbled":
    // No request was made.
    case "not_ours":
      return false;
  }
}

function ownTrouble({ status, code, page }: S3Failure, { request }: Asked): Verdict {
  // The body is too large for the store or a proxy: nothing else needs to be checked.
  if (status === 413 || NOT_THE_NAME.has(code)) return sure("rejected");
  if ((status === 403 || status === 401) && !SIGNATURE.has(code))
    return { kind: "trouble", trouble: "denied", asks: true };
  const mayBeName = status !== undefined && (NAME_STATUS.has(status) || SIGNATURE.has(code));
  if (mayBeName && NAMES_A_KEY.has(request)) return { kind: "trouble", trouble: "name", asks: true };
  const byName = !page && !code.startsWith("HTTP");
  const redirected = status !== undefined && status < 400;
  const aboutTheWhole = SIGNATURE.has(code) || NO_BUCKET.has(code) || redirected;
  return { kind: "trouble", trouble: "rejected", asks: !byName || aboutTheWhole };
}
