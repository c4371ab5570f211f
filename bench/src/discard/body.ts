/** A request's body: counted and discarded, except that a small one is checked, so that its checksum can be refused. */
import type { IncomingMessage } from "node:http";
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** Bodies up to this many bytes are kept long enough to be checked. */
const CHECKED_BYTES = 64 * 1024;

export interface Drained {
  bytes: number;
  /** The body itself where it is small. */
  small: Buffer | undefined;
}

export function drain(request: IncomingMessage): Promise<Drained> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    let chunks: Buffer[] | undefined = [];
    const keeps = request.method === "POST";
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      chunks?.push(chunk);
      if (!keeps && bytes > CHECKED_BYTES) chunks = undefined;
    });
    request.on("end", () => {
      // aws-chunked: the framing around the bytes does not count.
      const decoded = request.headers["x-amz-decoded-content-length"];
      const small = chunks && decoded === undefined ? Buffer.concat(chunks) : undefined;
      resolve({ bytes: decoded === undefined ? bytes : Number(decoded), small });
    });
    request.on("error", reject);
  });
}

/** The error code with which a store refuses bytes that are not what their headers say. */
export function refusedBytes(request: IncomingMessage, { small }: Drained): string | undefined {
  if (!small) return undefined;
  const crc = request.headers["x-amz-checksum-crc32"];
  if (typeof crc === "string" && Buffer.from(crc, "base64").readUInt32BE() !== crc32(small))
    return "BadDigest";
  const md5 = request.headers["content-md5"];
  if (typeof md5 === "string" && md5 !== createHash("md5").update(small).digest("base64")) return "BadDigest";
  return undefined;
}
