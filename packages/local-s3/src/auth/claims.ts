/** Who signed a request and when, according to the Authorization header or the query; not authenticated yet. */
import type { IncomingHttpHeaders } from "node:http";
import { S3Error } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Scope } from "./canonical.ts";

export interface Claim {
  readonly accessKeyId: string;
  readonly scope: Scope;
  /** yyyymmddThhmmssZ */
  readonly timestamp: string;
  readonly signedMs: number;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly payloadHash: string;
  /** Presigned URLs only. */
  readonly expiresSeconds?: number;
}

const ALGORITHM = "AWS4-HMAC-SHA256";
const HASH =
  /^(?:[0-9a-f]{64}|UNSIGNED-PAYLOAD|STREAMING-UNSIGNED-PAYLOAD-TRAILER|STREAMING-AWS4-HMAC-SHA256-PAYLOAD(?:-TRAILER)?)$/;

const malformedHeader = (what: string): S3Error =>
  new S3Error(
    "AuthorizationHeaderMalformed",
    `The authorization header that you provided is not valid: ${what}.`,
  );

const malformedQuery = (what: string): S3Error =>
  new S3Error("AuthorizationQueryParametersError", `Error parsing the X-Amz-* query parameters: ${what}.`);

export function headerClaim(authorization: string, headers: IncomingHttpHeaders): Claim {
  const [algorithm, rest] = split(authorization.trim(), " ");
  if (algorithm === "AWS") {
    throw new S3Error(
      "InvalidRequest",
      `The authorization mechanism you have provided is not supported. Please use ${ALGORITHM}.`,
    );
  }
  if (algorithm !== ALGORITHM) throw new S3Error("InvalidArgument", "Unsupported Authorization Type");
  const fields = new Map(rest.split(",").map((field) => split(field.trim(), "=")));
  const timestamp = timestampOf(headers);
  const payloadHash = headers["x-amz-content-sha256"];
  if (typeof payloadHash !== "string") {
    throw new S3Error("InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
  }
  return {
    ...parseCredential(fields.get("Credential") ?? "", malformedHeader),
    ...timestamp,
    signedHeaders: (fields.get("SignedHeaders") ?? "").split(";"),
    signature: fields.get("Signature") ?? "",
    payloadHash: checkHash(payloadHash),
  };
}

export function presignedClaim(query: ReadonlyMap<string, string>, headers: IncomingHttpHeaders): Claim {
  const need = (name: string): string => {
    const value = query.get(name);
    if (value === undefined) throw malformedQuery(`${name} is missing`);
    return value;
  };
  if (need("X-Amz-Algorithm") !== ALGORITHM)
    throw malformedQuery(`X-Amz-Algorithm only supports ${ALGORITHM}`);
  const expires = need("X-Amz-Expires");
  if (!/^\d{1,6}$/.test(expires) || Number(expires) > LIMITS.maxPresignSeconds) {
    throw malformedQuery(`X-Amz-Expires must be a number of seconds up to ${LIMITS.maxPresignSeconds}`);
  }
  const timestamp = need("X-Amz-Date");
  const signedMs = parseBasicDate(timestamp);
  if (signedMs === undefined) throw malformedQuery("X-Amz-Date must be in the ISO8601 basic format");
  const payloadHash =
    headers["x-amz-content-sha256"] ?? query.get("X-Amz-Content-Sha256") ?? "UNSIGNED-PAYLOAD";
  return {
    ...parseCredential(need("X-Amz-Credential"), malformedQuery),
    timestamp,
    signedMs,
    signedHeaders: need("X-Amz-SignedHeaders").split(";"),
    signature: need("X-Amz-Signature"),
    payloadHash: checkHash(String(payloadHash)),
    expiresSeconds: Number(expires),
  };
}

function parseCredential(
  credential: string,
  refuse: (what: string) => S3Error,
): { accessKeyId: string; scope: Scope } {
  const [accessKeyId, date, region, service, end, ...more] = credential.split("/");
  if (
    !accessKeyId ||
    !date ||
    !/^\d{8}$/.test(date) ||
    !region ||
    !service ||
    end !== "aws4_request" ||
    more.length > 0
  ) {
    throw refuse("the credential must be <key id>/<yyyymmdd>/<region>/s3/aws4_request");
  }
  return { accessKeyId, scope: { date, region, service } };
}

function timestampOf(headers: IncomingHttpHeaders): { timestamp: string; signedMs: number } {
  const amzDate = headers["x-amz-date"];
  if (typeof amzDate === "string") {
    const signedMs = parseBasicDate(amzDate);
    if (signedMs !== undefined) return { timestamp: amzDate, signedMs };
  }
  const signedMs = Date.parse(headers.date ?? "");
  if (amzDate !== undefined || Number.isNaN(signedMs)) {
    throw new S3Error("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header");
  }
  return { timestamp: new Date(signedMs).toISOString().replace(/\.\d+|[-:]/g, ""), signedMs };
}

function parseBasicDate(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

function checkHash(hash: string): string {
  if (HASH.test(hash)) return hash;
  throw new S3Error(
    "InvalidArgument",
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
  );
}

function split(text: string, at: string): [string, string] {
  const index = text.indexOf(at);
  return index === -1 ? [text, ""] : [text.slice(0, index), text.slice(index + at.length)];
}
