/** No request is acted on before its Signature Version 4, in the header or in a presigned URL, is proven and its date is current. */
import { timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { S3Error } from "../errors.ts";
import type { Target } from "../http/target.ts";
import { LIMITS } from "../limits.ts";
import { canonicalRequest, type Scope, sign, signingKey, stringToSign } from "./canonical.ts";
import { type Claim, headerClaim, presignedClaim } from "./claims.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface AuthRules {
  readonly credentials: Credentials;
  readonly region: string;
  readonly nowMs: number;
}

export interface SignedRequest {
  readonly method: string;
  readonly target: Target;
  readonly headers: IncomingHttpHeaders;
}

/** What an authenticated request declares about its body. */
export interface Authenticated {
  /** x-amz-content-sha256: a hash in hex, or one of the UNSIGNED- and STREAMING- words. */
  readonly payloadHash: string;
  /** What the chunk signatures of an aws-chunked body continue from. */
  readonly signature: string;
  readonly timestamp: string;
  readonly scope: Scope;
  readonly key: Buffer;
}

/** Throws an S3Error with the problem of the request's credentials. */
export function authenticate(request: SignedRequest, rules: AuthRules): Authenticated {
  const claim = claimOf(request);
  if (claim.accessKeyId !== rules.credentials.accessKeyId) {
    throw new S3Error(
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records.",
      {
        fields: { AWSAccessKeyId: claim.accessKeyId },
      },
    );
  }
  checkScope(claim, rules.region);
  checkTime(claim, rules.nowMs);
  if (
    request.headers["x-amz-security-token"] !== undefined ||
    request.target.query.has("X-Amz-Security-Token")
  ) {
    throw new S3Error("InvalidToken", "The provided token is malformed or otherwise invalid.");
  }
  checkSignedHeaders(request, claim);
  const canonical = canonicalRequest({
    method: request.method,
    target: request.target,
    signedHeaders: claim.signedHeaders,
    headerOf: (name) => headerText(request.headers, name),
    payloadHash: claim.payloadHash,
  });
  const text = stringToSign(claim.timestamp, claim.scope, canonical);
  const key = signingKey(rules.credentials.secretAccessKey, claim.scope);
  if (!sameText(sign(key, text), claim.signature)) {
    throw new S3Error(
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      { fields: { AWSAccessKeyId: claim.accessKeyId, StringToSign: text, CanonicalRequest: canonical } },
    );
  }
  const { payloadHash, signature, timestamp, scope } = claim;
  return { payloadHash, signature, timestamp, scope, key };
}

function claimOf({ headers, target }: SignedRequest): Claim {
  if (headers.authorization !== undefined) return headerClaim(headers.authorization, headers);
  if (target.query.has("X-Amz-Algorithm")) return presignedClaim(target.query, headers);
  throw new S3Error("AccessDenied", "Access Denied");
}

function checkScope({ scope, timestamp }: Claim, region: string): void {
  if (scope.service !== "s3") {
    throw new S3Error(
      "AuthorizationHeaderMalformed",
      `The authorization header is malformed; incorrect service "${scope.service}".`,
    );
  }
  if (scope.region !== region) {
    throw new S3Error(
      "AuthorizationHeaderMalformed",
      `The authorization header is malformed; the region '${scope.region}' is wrong; expecting '${region}'`,
      { fields: { Region: region } },
    );
  }
  if (!timestamp.startsWith(scope.date)) {
    throw new S3Error(
      "AuthorizationHeaderMalformed",
      "The authorization header is malformed; the dates of scope and request differ.",
    );
  }
}

function checkTime(claim: Claim, nowMs: number): void {
  const fields = { RequestTime: claim.timestamp, ServerTime: new Date(nowMs).toISOString() };
  if (claim.expiresSeconds === undefined) {
    if (Math.abs(nowMs - claim.signedMs) > LIMITS.maxClockSkewMs) throw tooSkewed(fields);
    return;
  }
  if (claim.signedMs - nowMs > LIMITS.maxClockSkewMs) throw tooSkewed(fields);
  if (nowMs > claim.signedMs + claim.expiresSeconds * 1_000) {
    throw new S3Error("AccessDenied", "Request has expired", { fields });
  }
}

const tooSkewed = (fields: Record<string, string>): S3Error =>
  new S3Error(
    "RequestTimeTooSkewed",
    "The difference between the request time and the current time is too large.",
    {
      fields: { ...fields, MaxAllowedSkewMilliseconds: String(LIMITS.maxClockSkewMs) },
    },
  );

/** An unsigned x-amz-* header could have been added by a third party. */
function checkSignedHeaders({ headers }: SignedRequest, claim: Claim): void {
  const signed = new Set(claim.signedHeaders);
  const missing = Object.keys(headers).filter((name) => name.startsWith("x-amz-") && !signed.has(name));
  if (!signed.has("host")) missing.push("host");
  if (missing.length > 0) {
    throw new S3Error("AccessDenied", "There were headers present in the request which were not signed", {
      fields: { HeadersNotSigned: missing.join(", ") },
    });
  }
}

function headerText(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name] ?? "";
  // Node reads header bytes as latin1; clients sign them as the UTF-8 they sent.
  return Buffer.from(typeof value === "string" ? value : value.join(","), "latin1").toString();
}

function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
