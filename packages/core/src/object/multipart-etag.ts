/** The ETag that most stores give an object made of parts: the MD5 of the parts' concatenated MD5s, and their count. */
import type { Digests } from "../ports/digests.ts";

/** Of MD5s in hex, in part order; undefined if one of them is not an MD5. */
export function multipartEtag(md5s: readonly string[], digests: Digests): string | undefined {
  const whole = digests.md5();
  for (const md5 of md5s) {
    if (!/^[0-9a-f]{32}$/.test(md5)) return undefined;
    whole.update(
      Uint8Array.from({ length: 16 }, (_, at) => Number.parseInt(md5.slice(2 * at, 2 * at + 2), 16)),
    );
  }
  return `${whole.hex()}-${md5s.length}`;
}

/** The number of parts according to an ETag; undefined for an object that was sent in one request. */
export function etagPartCount(etag: string): number | undefined {
  const match = /-(\d+)$/.exec(etag);
  return match ? Number(match[1]) : undefined;
}
