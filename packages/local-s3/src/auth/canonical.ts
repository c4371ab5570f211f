/** The canonical request of AWS Signature Version 4 as S3 defines it: the path is encoded once, the query sorted, headers trimmed. */
import { createHash, createHmac } from "node:crypto";
import type { Target } from "../http/target.ts";

export const sha256Hex = (data: string | Uint8Array): string =>
  createHash("sha256").update(data).digest("hex");

/** RFC 3986 with every reserved character encoded; encodeURIComponent leaves five of them alone. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export interface CanonicalFacts {
  readonly method: string;
  readonly target: Target;
  /** Lower-case names in the order they were signed. */
  readonly signedHeaders: readonly string[];
  readonly headerOf: (name: string) => string;
  readonly payloadHash: string;
}

export function canonicalRequest(facts: CanonicalFacts): string {
  const pairs = facts.target.queryPairs
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([aName, aValue], [bName, bValue]) => compare(aName, bName) || compare(aValue, bValue));
  return [
    facts.method,
    facts.target.path.split("/").map(encode).join("/"),
    pairs.map(([name, value]) => `${name}=${value}`).join("&"),
    ...facts.signedHeaders.map((name) => `${name}:${facts.headerOf(name).trim().replace(/\s+/g, " ")}`),
    "",
    facts.signedHeaders.join(";"),
    facts.payloadHash,
  ].join("\n");
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export interface Scope {
  /** yyyymmdd */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export const scopeText = (scope: Scope): string =>
  `${scope.date}/${scope.region}/${scope.service}/aws4_request`;

export const stringToSign = (timestamp: string, scope: Scope, canonical: string): string =>
  ["AWS4-HMAC-SHA256", timestamp, scopeText(scope), sha256Hex(canonical)].join("\n");

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

export function signingKey(secret: string, scope: Scope): Buffer {
  return hmac(hmac(hmac(hmac(`AWS4${secret}`, scope.date), scope.region), scope.service), "aws4_request");
}

export const sign = (key: Buffer, text: string): string => hmac(key, text).toString("hex");
