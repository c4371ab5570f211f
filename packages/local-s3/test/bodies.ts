/** Bodies and their digests, computed here and not by the code under test. */
import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

export const MIB = 1024 * 1024;

export const md5Hex = (body: Buffer | string): string => createHash("md5").update(body).digest("hex");
export const md5Base64 = (body: Buffer | string): string => createHash("md5").update(body).digest("base64");
export const sha256Base64 = (body: Buffer | string): string =>
  createHash("sha256").update(body).digest("base64");

export function crc32Base64(body: Buffer | string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString("base64");
}

/** ETag of a multipart object, without quotes. */
export function multipartEtag(parts: readonly (Buffer | string)[]): string {
  const md5 = createHash("md5");
  for (const part of parts) md5.update(Buffer.from(md5Hex(part), "hex"));
  return `${md5.digest("hex")}-${parts.length}`;
}

/** Made once: 5 MiB, the smallest part that may be followed by another. */
export const FULL_PART: Buffer = randomBytes(5 * MIB);
export const OTHER_PART: Buffer = randomBytes(5 * MIB);
