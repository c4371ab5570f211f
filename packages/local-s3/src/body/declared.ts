/** What a request declares about its body, read from the headers before a byte is taken: length, hashes, checksums, encoding. */
import type { IncomingHttpHeaders } from "node:http";
import type { Authenticated } from "../auth/authenticate.ts";
import {
  CHECKSUM_ALGORITHMS,
  CHECKSUMS,
  type ChecksumAlgorithm,
  checksumHeader,
  type ChecksumValues,
  isAlgorithm,
} from "../checksums/algorithms.ts";
import { S3Error } from "../errors.ts";

export interface Declared {
  /** Payload bytes; what aws-chunked adds is not counted. */
  readonly length: number;
  /** base64 */
  readonly md5?: string;
  /** hex */
  readonly sha256?: string;
  /** At most one. */
  readonly checksums: ChecksumValues;
  /** The algorithm whose value follows in the trailer. */
  readonly trailer?: ChecksumAlgorithm;
  readonly chunked?: { readonly signed: boolean };
}

/** Throws MissingContentLength, InvalidDigest or InvalidRequest. */
export function declaredBody(headers: IncomingHttpHeaders, auth: Authenticated): Declared {
  const streaming = auth.payloadHash.startsWith("STREAMING-");
  const lengthHeader = streaming ? headers["x-amz-decoded-content-length"] : headers["content-length"];
  if (typeof lengthHeader !== "string" || !/^\d{1,15}$/.test(lengthHeader)) {
    throw new S3Error("MissingContentLength", "You must provide the Content-Length HTTP header.");
  }
  const md5 = headers["content-md5"];
  if (md5 !== undefined && (typeof md5 !== "string" || !isBase64Of(16, md5))) {
    throw new S3Error("InvalidDigest", "The Content-MD5 you specified is not valid.");
  }
  const trailer = trailerAlgorithm(headers);
  const checksums = declaredChecksums(headers);
  if (Object.keys(checksums).length + (trailer === undefined ? 0 : 1) > 1) {
    throw new S3Error(
      "InvalidRequest",
      "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    );
  }
  return {
    length: Number(lengthHeader),
    checksums,
    ...(typeof md5 === "string" && { md5 }),
    ...(/^[0-9a-f]{64}$/.test(auth.payloadHash) && { sha256: auth.payloadHash }),
    ...(trailer !== undefined && { trailer }),
    ...(streaming && { chunked: { signed: !auth.payloadHash.startsWith("STREAMING-UNSIGNED") } }),
  };
}

/** The x-amz-checksum-<algorithm> headers of a request, shape checked. Throws InvalidRequest. */
export function declaredChecksums(headers: IncomingHttpHeaders): ChecksumValues {
  const values: Partial<Record<ChecksumAlgorithm, string>> = {};
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const name = checksumHeader(algorithm);
    const value = headers[name];
    if (value === undefined) continue;
    if (
      typeof value !== "string" ||
      !isBase64Of(CHECKSUMS[algorithm].bytes, value.replace(/-\d{1,5}$/, ""))
    ) {
      throw new S3Error("InvalidRequest", `Value for ${name} header is invalid.`);
    }
    values[algorithm] = value;
  }
  return values;
}

function trailerAlgorithm(headers: IncomingHttpHeaders): ChecksumAlgorithm | undefined {
  const trailer = headers["x-amz-trailer"];
  if (trailer === undefined) return undefined;
  const name = String(trailer)
    .trim()
    .toLowerCase()
    .replace(/^x-amz-checksum-/, "")
    .toUpperCase();
  if (!isAlgorithm(name))
    throw new S3Error("InvalidRequest", "The value specified in the x-amz-trailer header is not supported");
  return name;
}

const isBase64Of = (bytes: number, value: string): boolean => {
  const decoded = Buffer.from(value, "base64");
  return decoded.length === bytes && decoded.toString("base64") === value;
};
